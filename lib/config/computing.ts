/**
 * What this process computes with, for manifests. The engine (lib/tensor) fills it in when it is loaded, which takes
 * seconds, so that a stage without a model need not load it.
 */
export const computing: { device: string; versions: Record<string, string> } = {
  device: "CPU",
  versions: { deno: Deno.version.deno },
};
