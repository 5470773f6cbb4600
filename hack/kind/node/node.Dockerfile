# A kind node: Debian, containerd, kubelet and kubeadm, kind's own node files. Images are put into its store afterwards.
FROM scratch
ADD node.tar /
COPY kind-files/usr/local/bin/ /usr/local/bin/
COPY kind-files/kind/ /kind/
COPY kind-files/etc/ /etc/
COPY default-storage.yaml /kind/manifests/default-storage.yaml
COPY import-images /usr/local/bin/import-images
COPY kubelet kubeadm kubectl /usr/bin/
ARG KUBERNETES_VERSION
ARG PAUSE_IMAGE
# Debian's containerd is in /usr/bin. Without CAP_SYS_RESOURCE no process may raise its limits or lower its OOM score,
# so neither containerd nor its containers are asked to. The other lines are what kind's base image does, too.
RUN chmod 755 /usr/local/bin/* /kind/bin/* /usr/bin/kube* && chmod 644 /etc/systemd/system/*.service \
 && sed -i 's#/usr/local/bin/containerd#/usr/bin/containerd#; /OOMScoreAdjust/d; /^Limit/d' /etc/systemd/system/containerd.service \
 && sed -i "s#sandbox_image = .*#sandbox_image = \"$PAUSE_IMAGE\"#; s/restrict_oom_score_adj = false/restrict_oom_score_adj = true/" /etc/containerd/config.toml \
 && printf '[plugins."io.containerd.grpc.v1.cri".cni]\n  bin_dir = "/opt/cni/bin"\n  conf_dir = "/etc/cni/net.d"\n' >> /etc/containerd/config.toml \
 && ctr oci spec | jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' > /etc/containerd/cri-base.json \
 && mkdir -p /opt/cni/bin /etc/kubernetes/manifests && cp /usr/lib/cni/* /opt/cni/bin/ \
 && printf %s "$KUBERNETES_VERSION" > /kind/version \
 && find /lib/systemd/system/sysinit.target.wants/ -name systemd-tmpfiles-setup.service -delete \
 && rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
    /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/* \
    /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl* \
 && echo ReadKMsg=no >> /etc/systemd/journald.conf \
 && systemctl enable kubelet.service containerd.service undo-mount-hacks.service && systemctl mask systemd-binfmt.service
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
