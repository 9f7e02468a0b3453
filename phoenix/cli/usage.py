"""The text of `phoenix --help`, written by hand: sorted by occasion, not by the alphabet.

Must never import a module: a test holds that help loads no library but click.
"""

from __future__ import annotations

TEXT = """\
Usage: phoenix COMMAND [GROUP | --group GROUP] [OPTIONS]

Replaces the servers of an Auto Scaling group, and brings the old ones back.

In an incident
  status      where a group is, why it waits, what you can type
  rollback    traffic back to the generation before; its first write; never asks
  pause       stay where it is                  resume    go on
  abort       undo the rotation in flight; does nothing if there is none
Every day
  plan        what would happen, and everything in the way; changes nothing
  rotate      start if due, and follow it to its end
  promote     skip this bake (--full: all of them); gates still count
  retry       once more with the image that was rolled back
  drill       end instances on purpose, and measure until the group is whole
  history     rotations: outcome, cause, who, why; without a group, all
  report      one rotation as a page: timeline, decisions, calls, evidence
  ui          all groups as pages in a browser, live; changes nothing
  images      candidates, and why each was or was not chosen
  drift       instances unlike their generation; exits 10 if there are any
  taint       mark an instance for replacement  untaint   take the mark away
Set up
  init        your groups, how each can be rotated, and a first policy for it
  policy      validate, show, schema            doctor    rights, store, clock
  iam         the IAM policy document that your policies need
  tick        one pass over all groups, for cron; quiet when nothing is due
  repair      undo what an interrupted run left behind
  demo        a rotation and a rollback on this machine, without AWS
  sandbox     that same pretend AWS, on a port
  completion  bash, zsh, fish

Everywhere: -g --group  -o --output text|json  --profile --region  --policies
  --store  --reason  --yes  --no-input  --no-color  -q -v  --help  --version
Exit: 0 done or nothing to do, 1 failed, 2 usage or policy, 3 was rolled back,
  4 another driver has the group, 5 blocked, 10 due (plan) or diverged (drift),
  130 interrupted and resumable
"""
