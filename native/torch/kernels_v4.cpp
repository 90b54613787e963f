// Kernels for x86-64-v4: AVX-512.
#define KT_TABLE kernels_v4
#define KT_WIDTH 16
#include "kernels.inl"
