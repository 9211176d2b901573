# server-monitor in an image without anything else. Targets: server-monitor (the default) and samples.
#
#   docker build -t server-monitor .
#   docker buildx build --platform linux/amd64,linux/arm64 -t server-monitor .
#
# A container sees the host only where it is let: --pid=host --network=host -v /:/host:ro,rslave and
# --path.rootfs=/host. As its user is not root, the facts of other users' processes take capabilities.
# /server-monitor-host bears them, and starts only with
#   --cap-add=SYS_PTRACE --cap-add=DAC_READ_SEARCH --cap-add=KILL
# (the last for terminations). /server-monitor has none and starts anywhere.

FROM --platform=$BUILDPLATFORM golang:1.26.10-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends libcap2-bin && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev REVISION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
	export CGO_ENABLED=0 GOOS="$TARGETOS" GOARCH="$TARGETARCH" && mkdir -p /out/state /out/tmp && chmod 1777 /out/tmp && \
	go build -trimpath -ldflags "-s -w -X github.com/prometheus/common/version.Version=$VERSION -X github.com/prometheus/common/version.Revision=$REVISION" -o /out/server-monitor ./exporter && \
	go build -trimpath -ldflags "-s -w" -o /out/healthcheck ./deploy/healthcheck && \
	go build -trimpath -ldflags "-s -w" -o /out/sample ./e2e/sample
RUN cp /out/server-monitor /out/server-monitor-host && \
	setcap cap_sys_ptrace,cap_dac_read_search,cap_kill=ep /out/server-monitor-host && \
	printf 'root:x:0:0::/:\nserver-monitor:x:65532:65532::/:\n' >/out/passwd && \
	printf 'root:x:0:\nserver-monitor:x:65532:\n' >/out/group

# Programs that bear warnings, for the demo stack.
FROM scratch AS samples
COPY --from=build /out/passwd /out/group /etc/
COPY --from=build /out/sample /usr/bin/acme-agent
COPY --from=build /out/sample /opt/deleted/acme-updated
COPY --from=build --chmod=0777 /out/sample /opt/acme-writable
COPY --from=build /out/tmp /tmp
COPY --from=build /out/sample /tmp/xmrig
ENTRYPOINT ["/usr/bin/acme-agent"]
CMD ["sleep"]

FROM scratch AS server-monitor
ARG VERSION=dev REVISION=unknown
LABEL org.opencontainers.image.title="server-monitor" \
	org.opencontainers.image.description="What runs on this server, whether it is dangerous, and why" \
	org.opencontainers.image.version="$VERSION" \
	org.opencontainers.image.revision="$REVISION" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.base.name="scratch"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/passwd /out/group /etc/
COPY --from=build /out/server-monitor /out/server-monitor-host /out/healthcheck /
# A volume on it begins with this owner.
COPY --from=build --chown=65532:65532 /out/state /var/lib/server-monitor
USER 65532:65532
EXPOSE 10042 10043
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/healthcheck", "http://127.0.0.1:10042/-/healthy"]
ENTRYPOINT ["/server-monitor"]
