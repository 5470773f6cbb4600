"""Everything that is pinned, in one place.

Go modules: kubernetes and etcd are locked by go/*/go.mod and go.sum (the versions there and here must agree;
a unit test compares them); the others are `package@version`, whose own go.sum and the checksum database lock
what they use. Debian packages come from a stable release, which changes by security fixes alone.
"""

from __future__ import annotations

# Stay on 1.34: from 1.35 on the kubelet refuses machines with cgroup v1 by default.
KUBERNETES = "v1.34.4"
ETCD = "v3.6.5"
KIND = "v0.33.0"
COREDNS = "v1.14.7"
LOCAL_PATH_PROVISIONER = "v0.0.30"
HELM = "v3.22.0"
# The oldest Go that compiles all of them.
GO = (1, 26)

# kind's public node image for this kind release and Kubernetes minor, from the release's notes.
PUBLIC_NODE_IMAGE = (
    "kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d"
)
# Repository of the node image that is built where no registry answers.
OWN_NODE_REPOSITORY = "payment-platform/kind-node"

DEBIAN_SUITE = "bookworm"
