# For macOS, Windows and whatever else runs containers of Linux on x86_64:
#   docker build --platform linux/amd64 -t radvqa-lab .
#   docker run --rm -it -p 127.0.0.1:8888:8888 -v radvqa:/srv/radvqa radvqa-lab
# and open the address that it prints. Notebooks, results and downloads lie in the volume radvqa.
FROM debian:trixie-slim AS base
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates git python3 python3-venv \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --shell /bin/bash learner \
  && install -d -o learner -g learner /opt/radvqa-lab /srv/radvqa

FROM base
USER learner
WORKDIR /opt/radvqa-lab
COPY --chown=learner . .
RUN ./lab setup
ENV LAB_HOME=/srv/radvqa
EXPOSE 8888
CMD ["./lab", "open", "--no-browser", "--ip=0.0.0.0", "--port=8888"]
