"""What `ape console` opens with: a deployment's contracts, peers and Safes, and local roles."""
