terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Nothing here is newer than 5.40, but 5.100 is the oldest that it has been run with, and 6 has not been tried.
      version = "~> 5.100"
    }
  }
}
