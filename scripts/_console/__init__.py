"""What `ape console` opens with: a deployment's contracts, its peers, its Safes, and local roles."""
