/**
 * A process of its own for `./lab doctor`: TensorFlow's version and devices as a line of JSON, then the proof of the device as
 * another. On some processors it ends here, or between the two.
 */
import { devices, tensorflowVersion } from "../../tensor/mod.ts";
import { proveDevice } from "./device_proof.ts";

console.log(JSON.stringify({ version: tensorflowVersion, devices: devices() }));
console.log(JSON.stringify({ proof: await proveDevice() }));
