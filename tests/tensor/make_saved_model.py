"""Writes saved_model/: two signatures, one of float32 and one of int64, by TensorFlow.

    .venv/bin/python tests/tensor/make_saved_model.py     (TensorFlow 2.21)
"""
import pathlib

import tensorflow as tf


class Model(tf.Module):
    def __init__(self):
        self.factor = tf.Variable(3.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def times_three(self, x):
        return {"y": x * self.factor}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="x")])
    def double(self, x):
        return {"y": x * 2}


path = pathlib.Path(__file__).parent / "fixtures" / "saved_model"
model = Model()
tf.saved_model.save(model, path, {"serving_default": model.times_three, "double": model.double})
