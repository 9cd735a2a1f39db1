/* Stands for NVIDIA's driver: libcuda.so.1 and, under its own name, libnvidia-ml.so.1. One GPU that computes nothing. */
#include <stdlib.h>
#include <string.h>

static int set(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value ? atoi(value) : otherwise;
}

int cuInit(unsigned flags) { return set("STUB_INIT", 0); }
int cuDriverGetVersion(int *version) { *version = set("STUB_CUDA", 12090); return 0; }
int cuDeviceGetCount(int *count) { *count = set("STUB_COUNT", 1); return 0; }
int cuDeviceGet(int *device, int i) { *device = i; return 0; }
int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "Stub 9000", length); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 16ull << 30; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 132 : 1024; /* capability 9.0, 132 processors */
  return 0;
}
int cuGetErrorName(int error, const char **name) { *name = "CUDA_ERROR_STUB"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "an error of the stub"; return 0; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { *flags = 0; *active = 0; return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { static int one; *context = &one; return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuCtxGetCurrent(void **context) { *context = 0; return 0; }
int cuCtxSetCurrent(void *context) { return 0; }
int cuCtxPushCurrent_v2(void *context) { return 0; }
int cuCtxPopCurrent_v2(void **context) { return 0; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = 11ull << 30; *total = 16ull << 30; return 0; }

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *version, unsigned length) { strncpy(version, "575.57.08", length); return 0; }
