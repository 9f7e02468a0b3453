"""The Auto Scaling groups of an account before there is any policy: what each is, and how it could be rotated.

`read` asks AWS, in a number of calls that does not grow with the number of groups but by their pages; `judge`, `pairs`,
`image_names` and `image_filter` decide, and are pure. Must never write to AWS, nor need a policy or a store.
"""
