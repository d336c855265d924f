#!/bin/sh
# TensorFlow Serving over the store, from the project's folder. Served folders are mounted read-only.
# A challenger lies in .challengers/NAME/N/served; mounted as NAME-challenger/N it is a model of its own.
docker run --rm -p 127.0.0.1:8501:8501 \
  -v "$PWD/models/store:/models:ro" \
  -v "$PWD/models/store/.challengers/energy_demand/1/served:/models/energy_demand-challenger/1:ro" \
  -v "$PWD/models.config:/etc/models.config:ro" \
  --entrypoint tensorflow_model_server tensorflow/serving:2.19.0 \
  --rest_api_port=8501 --model_config_file=/etc/models.config \
  --model_config_file_poll_wait_seconds=60 --allow_version_labels_for_unavailable_models=true

# One pipeline without a configuration file:
#   docker run --rm -p 127.0.0.1:8501:8501 -v "$PWD/models/store/energy_demand:/models/energy_demand:ro" \
#     -e MODEL_NAME=energy_demand tensorflow/serving:2.19.0
