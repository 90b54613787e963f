// Kernels for x86-64-v3: AVX2 and FMA.
#define KT_TABLE kernels_v3
#define KT_WIDTH 8
#include "kernels.inl"
