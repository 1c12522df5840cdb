# The image of controller and agents: Node, the C library that it needs, and the bundle. No shell, no package manager.
# docker build -t REGISTRY/drover:0.1.0 .
ARG NODE=node:20-bookworm-slim

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json LICENSE ./
COPY scripts/build.mjs scripts/image-root.mjs scripts/
COPY src src
RUN npm ci --ignore-scripts
RUN npm run build && node scripts/image-root.mjs /out

FROM scratch
COPY --from=build /out /
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/drover.js"]
CMD ["--help"]
