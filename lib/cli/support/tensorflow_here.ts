/** A process of its own for `./lab doctor`: TensorFlow's version and devices as JSON. On some processors it ends here. */
import { devices, tensorflowVersion } from "../../tensor/mod.ts";

console.log(JSON.stringify({ version: tensorflowVersion, devices: devices() }));
