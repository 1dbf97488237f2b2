# The daemon and nothing else, from scratch. `dist/build` makes the binary; without it there is nothing to copy:
#
#   dist/build && docker build -t peerage:0.1.0 .
#   docker run --read-only -p 127.0.0.1:7411:7411 -v ./policies/stores:/etc/peerage/policies:ro peerage:0.1.0
FROM scratch

LABEL org.opencontainers.image.title="peerage" \
      org.opencontainers.image.description="Who may talk to whom, as code: a policy compiler and decision daemon" \
      org.opencontainers.image.licenses="MIT"

COPY --chmod=0755 target/packages/peerage /peerage
# Folders of the user below: what is mounted on them gets their owner.
COPY --chown=65532:65532 packaging/image/ /

# No name for it is needed, nor a file of names.
USER 65532:65532

ENV PEERAGE_POLICY=/etc/peerage/policies \
    PEERAGE_LISTEN=:7411 \
    PEERAGE_INSECURE_LISTEN=true

# Nothing is written elsewhere: run it with --read-only.
VOLUME ["/var/lib/peerage", "/run/peerage"]

EXPOSE 7411
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["/peerage", "health"]

ENTRYPOINT ["/peerage"]
CMD ["serve"]
