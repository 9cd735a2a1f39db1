# For macOS, Windows and whatever else runs containers of Linux on x86_64:
#   docker build --platform linux/amd64 -t radvqa-lab .
#   docker run --rm -it -p 127.0.0.1:8888:8888 -v radvqa-home:/home/learner/home radvqa-lab
# and open the address that it prints. Notebooks, results and downloads lie in the volume radvqa-home.
FROM debian:trixie-slim AS base
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates git python3 python3-venv \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --shell /bin/bash learner

FROM base
USER learner
COPY --chown=learner . /home/learner/radvqa-lab
WORKDIR /home/learner/radvqa-lab
RUN ./lab setup && mkdir /home/learner/home
ENV LAB_HOME=/home/learner/home
EXPOSE 8888
CMD ["./lab", "open", "--no-browser", "--ip=0.0.0.0", "--port=8888"]
