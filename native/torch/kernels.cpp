#include "kernels.h"

#include <cstring>
#include <vector>

// One version for each level of the processor, chosen when the library loads. Inside, everything is inlined, so that
// the fixed-size vectors below become the registers of that level.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define KT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#pragma GCC diagnostic ignored "-Wpsabi"
#else
#define KT_CLONES
#endif
#define KT_INLINE static inline __attribute__((always_inline))
#define KT_RESTRICT __restrict__

namespace kinora {
namespace {

constexpr int64_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

KT_INLINE Lanes load(const float* p) { return *reinterpret_cast<const Lanes*>(p); }
KT_INLINE void store(float* p, Lanes v) { *reinterpret_cast<Lanes*>(p) = v; }

KT_INLINE float load_one(const float* p) { return *p; }
KT_INLINE void store_one(float* p, float v) { *p = v; }

KT_INLINE float load_one(const BFloat16* p) {
  const uint32_t word = static_cast<uint32_t>(p->bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

// To nearest, ties to even; every NaN becomes the same quiet one.
KT_INLINE void store_one(BFloat16* p, float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof word);
  const uint32_t rounded = (word + 0x7FFF + ((word >> 16) & 1)) >> 16;
  p->bits = static_cast<uint16_t>((word & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : rounded);
}

template <Nonlinearity F>
KT_INLINE float apply(float v) {
  if (F == Nonlinearity::relu || F == Nonlinearity::relu6) {
    v = v > 0 ? v : (v != v ? v : 0);
  }
  if (F == Nonlinearity::relu6) {
    v = v < 6 ? v : (v != v ? v : 6);
  }
  return v;
}

template <Nonlinearity F>
KT_INLINE float passed(float y, float gradient) {
  switch (F) {
    case Nonlinearity::none: return gradient;
    case Nonlinearity::relu: return y > 0 ? gradient : 0;
    default: return (y > 0) & (y < 6) ? gradient : 0;
  }
}

template <class T>
KT_INLINE void moments_of(const T* KT_RESTRICT x, int64_t rows, int64_t channels, float* KT_RESTRICT mean,
                          float* KT_RESTRICT squares) {
  for (int64_t c = 0; c < channels; c++) {
    mean[c] = 0;
    squares[c] = 0;
  }
  for (int64_t r = 0; r < rows; r++) {
    const T* row = x + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      mean[c] += load_one(row + c);
    }
  }
  const float share = 1.0f / static_cast<float>(rows);
  for (int64_t c = 0; c < channels; c++) {
    mean[c] *= share;
  }
  for (int64_t r = 0; r < rows; r++) {
    const T* row = x + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float d = load_one(row + c) - mean[c];
      squares[c] += d * d;
    }
  }
}

template <Nonlinearity F, class T>
KT_INLINE void normalise_of(const T* KT_RESTRICT x, T* KT_RESTRICT y, int64_t rows, int64_t channels,
                            const float* KT_RESTRICT scale, const float* KT_RESTRICT shift) {
  for (int64_t r = 0; r < rows; r++) {
    const T* from = x + r * channels;
    T* to = y + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      store_one(to + c, apply<F>(load_one(from + c) * scale[c] + shift[c]));
    }
  }
}

template <Nonlinearity F, class T>
KT_INLINE void sums_of(const T* KT_RESTRICT x, const T* KT_RESTRICT gradient, int64_t rows, int64_t channels,
                       const float* KT_RESTRICT scale, const float* KT_RESTRICT shift, const float* KT_RESTRICT mean,
                       float* KT_RESTRICT sum, float* KT_RESTRICT product) {
  for (int64_t c = 0; c < channels; c++) {
    sum[c] = 0;
    product[c] = 0;
  }
  for (int64_t r = 0; r < rows; r++) {
    const T* xs = x + r * channels;
    const T* gs = gradient + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float v = load_one(xs + c);
      const float g = passed<F>(v * scale[c] + shift[c], load_one(gs + c));
      sum[c] += g;
      product[c] += g * (v - mean[c]);
    }
  }
}

template <Nonlinearity F, class T>
KT_INLINE void backward_of(const T* KT_RESTRICT x, const T* KT_RESTRICT gradient, T* KT_RESTRICT result, int64_t rows,
                           int64_t channels, const float* KT_RESTRICT scale, const float* KT_RESTRICT shift,
                           const float* KT_RESTRICT a, const float* KT_RESTRICT b, const float* KT_RESTRICT c0) {
  for (int64_t r = 0; r < rows; r++) {
    const T* xs = x + r * channels;
    const T* gs = gradient + r * channels;
    T* to = result + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float v = load_one(xs + c);
      const float g = passed<F>(v * scale[c] + shift[c], load_one(gs + c));
      store_one(to + c, g * a[c] + (v * b[c] + c0[c]));
    }
  }
}

// A kernel for one element type and nonlinearity, compiled for each level. (target_clones doesn't take templates.)
#define KT_NORM_KERNELS(T, NAME, F)                                                                                  \
  KT_CLONES void normalise_##NAME(const T* x, T* y, int64_t rows, int64_t channels, const float* scale,              \
                                  const float* shift) {                                                              \
    normalise_of<F>(x, y, rows, channels, scale, shift);                                                             \
  }                                                                                                                  \
  KT_CLONES void sums_##NAME(const T* x, const T* g, int64_t rows, int64_t channels, const float* scale,             \
                             const float* shift, const float* mean, float* sum, float* product) {                    \
    sums_of<F>(x, g, rows, channels, scale, shift, mean, sum, product);                                              \
  }                                                                                                                  \
  KT_CLONES void backward_##NAME(const T* x, const T* g, T* result, int64_t rows, int64_t channels,                  \
                                 const float* scale, const float* shift, const float* a, const float* b,             \
                                 const float* c) {                                                                   \
    backward_of<F>(x, g, result, rows, channels, scale, shift, a, b, c);                                             \
  }

KT_NORM_KERNELS(float, float_none, Nonlinearity::none)
KT_NORM_KERNELS(float, float_relu, Nonlinearity::relu)
KT_NORM_KERNELS(float, float_relu6, Nonlinearity::relu6)
KT_NORM_KERNELS(BFloat16, brain_none, Nonlinearity::none)
KT_NORM_KERNELS(BFloat16, brain_relu, Nonlinearity::relu)
KT_NORM_KERNELS(BFloat16, brain_relu6, Nonlinearity::relu6)

KT_CLONES void moments_float(const float* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  moments_of(x, rows, channels, mean, squares);
}

KT_CLONES void moments_brain(const BFloat16* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  moments_of(x, rows, channels, mean, squares);
}

template <class T>
KT_INLINE void relu6_of(const T* KT_RESTRICT y, const T* KT_RESTRICT gradient, T* KT_RESTRICT result, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    store_one(result + i, passed<Nonlinearity::relu6>(load_one(y + i), load_one(gradient + i)));
  }
}

KT_CLONES void relu6_float(const float* y, const float* gradient, float* result, int64_t count) {
  relu6_of(y, gradient, result, count);
}

KT_CLONES void relu6_brain(const BFloat16* y, const BFloat16* gradient, BFloat16* result, int64_t count) {
  relu6_of(y, gradient, result, count);
}

// Which taps of the kernel meet a given cell of the input, and the cell of the output they come from.
struct Taps {
  int64_t count = 0;
  int64_t tap[kMaxKernel];
  int64_t cell[kMaxKernel];
};

KT_INLINE Taps taps_of(int64_t at, int64_t kernel, int64_t stride, int64_t pad, int64_t outputs) {
  Taps taps;
  for (int64_t k = 0; k < kernel; k++) {
    const int64_t moved = at + pad - k;
    if (moved >= 0 && moved % stride == 0 && moved / stride < outputs) {
      taps.tap[taps.count] = k;
      taps.cell[taps.count++] = moved / stride;
    }
  }
  return taps;
}

// BLOCKS * 16 channels of one input row, from channel first on.
template <int BLOCKS>
KT_INLINE void row_backward(const Depthwise& d, const Taps& rows, const Taps* all_columns, const float* weight,
                            const float* gradient, float* result, int64_t first) {
  for (int64_t w = 0; w < d.width; w++) {
    const Taps& columns = all_columns[w];
    Lanes sums[BLOCKS] = {};
    for (int64_t i = 0; i < rows.count; i++) {
      const float* gradients = gradient + rows.cell[i] * d.out_width * d.channels + first;
      const float* weights = weight + rows.tap[i] * d.kernel_width * d.channels + first;
      for (int64_t j = 0; j < columns.count; j++) {
        const float* g = gradients + columns.cell[j] * d.channels;
        const float* k = weights + columns.tap[j] * d.channels;
        for (int b = 0; b < BLOCKS; b++) {
          sums[b] += load(g + b * kLanes) * load(k + b * kLanes);
        }
      }
    }
    for (int b = 0; b < BLOCKS; b++) {
      store(result + w * d.channels + first + b * kLanes, sums[b]);
    }
  }
}

KT_CLONES void row_backward_all(const Depthwise& d, const Taps& rows, const Taps* columns, const float* weight,
                                const float* gradient, float* result) {
  int64_t first = 0;
  for (; first + 4 * kLanes <= d.channels; first += 4 * kLanes) {
    row_backward<4>(d, rows, columns, weight, gradient, result, first);
  }
  for (; first < d.channels; first += kLanes) {
    row_backward<1>(d, rows, columns, weight, gradient, result, first);
  }
}

// One row of the kernel against one row of the output: the sums of its taps stay in registers along the row.
template <int TAPS>
KT_INLINE void weight_row(const Depthwise& d, const float* image_row, const float* gradient_row, Lanes* sums) {
  // Outputs [low, high) meet all taps of the kernel's row.
  int64_t low = (d.pad_left + d.stride_across - 1) / d.stride_across;
  int64_t high = d.width - TAPS + d.pad_left < 0 ? 0 : (d.width - TAPS + d.pad_left) / d.stride_across + 1;
  low = low < d.out_width ? low : d.out_width;
  high = high < d.out_width ? high : d.out_width;
  high = high < low ? low : high;
  Lanes total[TAPS];
  for (int k = 0; k < TAPS; k++) {
    total[k] = sums[k];
  }
  for (int64_t o = low; o < high; o++) {
    const Lanes g = load(gradient_row + o * d.channels);
    const float* x = image_row + (o * d.stride_across - d.pad_left) * d.channels;
    for (int k = 0; k < TAPS; k++) {
      total[k] += g * load(x + k * d.channels);
    }
  }
  for (int64_t o = 0; o < d.out_width; o++) {
    if (o == low) {
      o = high;
      if (o >= d.out_width) {
        break;
      }
    }
    const Lanes g = load(gradient_row + o * d.channels);
    for (int k = 0; k < TAPS; k++) {
      const int64_t w = o * d.stride_across - d.pad_left + k;
      if (w >= 0 && w < d.width) {
        total[k] += g * load(image_row + w * d.channels);
      }
    }
  }
  for (int k = 0; k < TAPS; k++) {
    sums[k] = total[k];
  }
}

KT_CLONES void weight_backward_all(const Depthwise& d, const float* image, const float* gradient, float* result,
                                   int64_t first) {
  for (int64_t kh = 0; kh < d.kernel_height; kh++) {
    Lanes sums[kMaxKernel] = {};
    for (int64_t o = 0; o < d.out_height; o++) {
      const int64_t h = o * d.stride_down - d.pad_top + kh;
      if (h < 0 || h >= d.height) {
        continue;
      }
      const float* image_row = image + h * d.width * d.channels + first;
      const float* gradient_row = gradient + o * d.out_width * d.channels + first;
      switch (d.kernel_width) {
        case 1: weight_row<1>(d, image_row, gradient_row, sums); break;
        case 2: weight_row<2>(d, image_row, gradient_row, sums); break;
        case 3: weight_row<3>(d, image_row, gradient_row, sums); break;
        case 4: weight_row<4>(d, image_row, gradient_row, sums); break;
        case 5: weight_row<5>(d, image_row, gradient_row, sums); break;
        case 6: weight_row<6>(d, image_row, gradient_row, sums); break;
        default: weight_row<7>(d, image_row, gradient_row, sums); break;
      }
    }
    float* to = result + kh * d.kernel_width * d.channels + first;
    for (int64_t k = 0; k < d.kernel_width; k++, to += d.channels) {
      store(to, load(to) + sums[k]);
    }
  }
}

}  // namespace

template <>
void moments(const float* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  moments_float(x, rows, channels, mean, squares);
}

template <>
void moments(const BFloat16* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  moments_brain(x, rows, channels, mean, squares);
}

#define KT_DISPATCH(T, PREFIX)                                                                                       \
  template <>                                                                                                        \
  void normalise(const T* x, T* y, int64_t rows, int64_t channels, const float* scale, const float* shift,           \
                 Nonlinearity f) {                                                                                   \
    switch (f) {                                                                                                     \
      case Nonlinearity::none: return normalise_##PREFIX##_none(x, y, rows, channels, scale, shift);                 \
      case Nonlinearity::relu: return normalise_##PREFIX##_relu(x, y, rows, channels, scale, shift);                 \
      default: return normalise_##PREFIX##_relu6(x, y, rows, channels, scale, shift);                                \
    }                                                                                                                \
  }                                                                                                                  \
  template <>                                                                                                        \
  void gradient_sums(const T* x, const T* g, int64_t rows, int64_t channels, const float* scale, const float* shift, \
                     const float* mean, Nonlinearity f, float* sum, float* product) {                                \
    switch (f) {                                                                                                     \
      case Nonlinearity::none:                                                                                       \
        return sums_##PREFIX##_none(x, g, rows, channels, scale, shift, mean, sum, product);                         \
      case Nonlinearity::relu:                                                                                       \
        return sums_##PREFIX##_relu(x, g, rows, channels, scale, shift, mean, sum, product);                         \
      default: return sums_##PREFIX##_relu6(x, g, rows, channels, scale, shift, mean, sum, product);                 \
    }                                                                                                                \
  }                                                                                                                  \
  template <>                                                                                                        \
  void normalise_backward(const T* x, const T* g, T* result, int64_t rows, int64_t channels, const float* scale,     \
                          const float* shift, Nonlinearity f, const float* a, const float* b, const float* c) {      \
    switch (f) {                                                                                                     \
      case Nonlinearity::none:                                                                                       \
        return backward_##PREFIX##_none(x, g, result, rows, channels, scale, shift, a, b, c);                        \
      case Nonlinearity::relu:                                                                                       \
        return backward_##PREFIX##_relu(x, g, result, rows, channels, scale, shift, a, b, c);                        \
      default: return backward_##PREFIX##_relu6(x, g, result, rows, channels, scale, shift, a, b, c);                \
    }                                                                                                                \
  }

KT_DISPATCH(float, float)
KT_DISPATCH(BFloat16, brain)

template <>
void relu6_backward(const float* y, const float* gradient, float* result, int64_t count) {
  relu6_float(y, gradient, result, count);
}

template <>
void relu6_backward(const BFloat16* y, const BFloat16* gradient, BFloat16* result, int64_t count) {
  relu6_brain(y, gradient, result, count);
}

void depthwise_row_backward(const Depthwise& d, const float* weight, const float* gradient, float* result,
                            int64_t row) {
  const Taps rows = taps_of(row, d.kernel_height, d.stride_down, d.pad_top, d.out_height);
  std::vector<Taps> columns(static_cast<size_t>(d.width));
  for (int64_t w = 0; w < d.width; w++) {
    columns[w] = taps_of(w, d.kernel_width, d.stride_across, d.pad_left, d.out_width);
  }
  row_backward_all(d, rows, columns.data(), weight, gradient, result);
}

void depthwise_weight_backward(const Depthwise& d, const float* image, const float* gradient, float* result,
                               int64_t first) {
  weight_backward_all(d, image, gradient, result, first);
}

}  // namespace kinora
