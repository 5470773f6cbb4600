# The images of the control plane, all from one layer: kubeadm's names are tags of the stage they need.
FROM scratch AS programs
ADD control-plane.tar /
COPY kube-apiserver kube-controller-manager kube-scheduler kube-proxy etcd local-path-provisioner /usr/local/bin/
COPY coredns /coredns
LABEL org.opencontainers.image.title="Kubernetes control plane (air-gapped stand-in)" dev.paymentplatform.standin=true

FROM programs AS pause
ENTRYPOINT ["/usr/bin/catatonit", "-P"]

FROM programs AS coredns
ENTRYPOINT ["/coredns"]
