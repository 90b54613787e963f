// Loops of the training step that libtorch 1.13 does slowly on the CPU. Plain pointers in, plain pointers out: who
// calls them owns memory, threads and gradients. All images are channels-last: rows of C channels, one row a pixel.
#pragma once
#include <cstdint>

namespace kinora {

enum class Nonlinearity : int32_t { none = 0, relu = 1, relu6 = 2 };

// Element types of images. Arithmetic is in float32 for both.
struct BFloat16 {
  uint16_t bits;
};

// Which taps of a kernel meet one cell of the input, and the cells of the output they come from.
constexpr int64_t kMaxKernel = 7;
struct Taps {
  int64_t count;
  int64_t tap[kMaxKernel];
  int64_t cell[kMaxKernel];
};

struct Depthwise {
  int64_t channels;             // a multiple of kDepthwiseBlock
  int64_t height, width;        // of the input
  int64_t out_height, out_width;
  int64_t kernel_height, kernel_width;
  int64_t stride_down, stride_across;
  int64_t pad_top, pad_left;
};
constexpr int64_t kDepthwiseBlock = 16;

// ---- batch normalisation: C channels of float32 statistics and parameters ----
template <class T>
struct ImageKernels {
  // Mean and sum of squared distances from it over some rows.
  void (*moments)(const T* x, int64_t rows, int64_t channels, float* mean, float* squares);
  // y = f(x * scale + shift).
  void (*normalise)(const T* x, T* y, int64_t rows, int64_t channels, const float* scale, const float* shift,
                    Nonlinearity f);
  // With g the gradient of y taken back through f: sums of g and of g * (x - mean) over some rows.
  void (*gradient_sums)(const T* x, const T* gradient, int64_t rows, int64_t channels, const float* scale,
                        const float* shift, const float* mean, Nonlinearity f, float* sum, float* product);
  // g * a + x * b + c, the gradient of x.
  void (*normalise_backward)(const T* x, const T* gradient, T* result, int64_t rows, int64_t channels,
                             const float* scale, const float* shift, Nonlinearity f, const float* a, const float* b,
                             const float* c);
  // gradient where 0 < y < 6, else zero.
  void (*relu6_backward)(const T* y, const T* gradient, T* result, int64_t count);
};

struct Kernels {
  ImageKernels<float> single;
  ImageKernels<BFloat16> brain;
  // Depthwise convolution, float32. Gradient of one row of one input image; weight: [taps, C]; rows and columns: the
  // taps of this row, and of each column.
  void (*depthwise_row_backward)(const Depthwise& d, const Taps& rows, const Taps* columns, const float* weight,
                                 const float* gradient, float* result);
  // Adds to the gradient of the weights, [taps, C], what one image says about the block of channels from first on.
  void (*depthwise_weight_backward)(const Depthwise& d, const float* image, const float* gradient, float* result,
                                    int64_t first);
};

// kernels.inl compiled for each level of the processor.
extern const Kernels kernels_baseline;
extern const Kernels kernels_v3;
extern const Kernels kernels_v4;

inline const Kernels& kernels() {
#if defined(KT_LEVELS)
  static const Kernels& chosen = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
      ? kernels_v4
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? kernels_v3 : kernels_baseline;
  return chosen;
#else
  return kernels_baseline;
#endif
}

inline const ImageKernels<float>& image_kernels(const float*) { return kernels().single; }
inline const ImageKernels<BFloat16>& image_kernels(const BFloat16*) { return kernels().brain; }

}  // namespace kinora
