# The program is built by the same `make build` as anywhere else. Git stays outside the image, so the
# version is handed in:
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" --build-arg COMMIT="$(git rev-parse HEAD)" -t broadsheet .

FROM golang:1.26-bookworm AS build
WORKDIR /src
# Modules first: they change less often than the code, and stay cached.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=none
RUN make build VERSION="$VERSION" COMMIT="$COMMIT"

# The same Debian release as above: SQLite is linked against its glibc.
FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin broadsheet \
 && install -d -o broadsheet -g broadsheet -m 0750 /data
COPY --from=build /src/bin/broadsheet /usr/local/bin/broadsheet

ENV BROADSHEET_LISTEN=:8080
ENV BROADSHEET_DATABASE_URL=sqlite:/data/broadsheet.db
USER broadsheet
# Relative paths in the settings, such as the outbox, land in the volume as well.
WORKDIR /data
VOLUME /data
EXPOSE 8080

# Asks /readyz at BROADSHEET_LISTEN; the image has no curl.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["broadsheet", "serve", "--check"]

ENTRYPOINT ["broadsheet"]
CMD ["serve"]
