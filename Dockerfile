# The image of the sidecar and of the init container. Build it with any builder:  docker build -t outrigger .
#
# It runs as a user without rights, on a read-only root file system, and writes nowhere but the volumes that it is given
# (and /tmp, where Git over ssh wants a home). Both images below may be mirrors of yours.
ARG NODE_IMAGE=node:26.10.0-trixie-slim
ARG BASE_IMAGE=debian:trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# The packages that make the program need no install scripts, and the Node that package.json pins is this image's own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY cmd ./cmd
COPY lib ./lib
COPY providers ./providers
RUN node cmd/build/bundle.ts dist/outrigger.js && node dist/outrigger.js --version

FROM ${NODE_IMAGE} AS node

FROM ${BASE_IMAGE}
# Git and ssh fetch repositories, tini passes signals on and reaps what children leave behind, Node needs libatomic.
# The user has an entry in /etc/passwd because ssh refuses to run for one without.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git libatomic1 openssh-client tini \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf \
 && echo 'outrigger:x:65532:' >> /etc/group \
 && echo 'outrigger:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd \
 && install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/outrigger \
 && install --directory /etc/outrigger
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /src/dist/outrigger.js /usr/local/lib/outrigger/outrigger.js
# What was compiled for it was made by this very Node, so it is used: the first generation takes 67 ms instead of 107 where a
# bare Node takes 22, and an idle sidecar 3 MiB less.
COPY --from=build /src/dist/outrigger.js.compiled /usr/local/lib/outrigger/outrigger.js.compiled
# So that `kubectl exec POD -c outrigger -- outrigger refresh` finds it. It counts for the memory of the container, so it is kept as small.
RUN printf '%s\n' '#!/bin/sh' \
      'exec /usr/local/bin/node --max-semi-space-size=1 --max-old-space-size=64 --v8-pool-size=0 /usr/local/lib/outrigger/outrigger.js "$@"' \
      > /usr/local/bin/outrigger \
 && chmod 0755 /usr/local/bin/outrigger
COPY LICENSE /usr/share/doc/outrigger/LICENSE

# Two threads for files and DNS and one heap for malloc are enough here, and keep memory small.
ENV HOME=/tmp \
    MALLOC_ARENA_MAX=1 \
    OUTRIGGER_CONFIG=/etc/outrigger/outrigger.yaml \
    UV_THREADPOOL_SIZE=2

LABEL org.opencontainers.image.title="Outrigger" \
      org.opencontainers.image.description="Keeps an application's configuration and secrets current" \
      org.opencontainers.image.licenses="Apache-2.0"

# By number, so that runAsNonRoot can be checked.
USER 65532:65532
# tini -s also reaps where it is not process 1: in a Pod that shares its process namespace.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "/usr/local/bin/node", "--max-semi-space-size=1", "--max-old-space-size=64", "--v8-pool-size=0", "/usr/local/lib/outrigger/outrigger.js"]
CMD ["run"]
# Whoever runs the container asks /livez and /readyz: what a check inside would cost, a probe does better.
HEALTHCHECK NONE
