// The training step's own operators: kernels.h with gradients, for channels-last images on the CPU. Each export leaves
// its result null where it doesn't apply; the caller then takes libtorch's operator.
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/version.h>

#include <cmath>
#include <vector>

#include "distributed.h"
#include "kernels.h"
#include "shim.h"

using namespace kinora;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR >= 204
template <class T>
using Optional = std::optional<T>;
#else
template <class T>
using Optional = c10::optional<T>;
#endif

bool autocast_on() {
#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR >= 204
  return at::autocast::is_autocast_enabled(at::kCPU);
#else
  return at::autocast::is_cpu_enabled();
#endif
}

constexpr int64_t kChunkElements = 1 << 14;  // of one unit of work; fixed, so that sums don't depend on threads

bool is_image(const Tensor& x) {
  return x.defined() && x.is_cpu() && x.dim() == 4 && x.numel() > 0 &&
      x.is_contiguous(at::MemoryFormat::ChannelsLast) && !x.is_mkldnn();
}

bool is_vector(const Tensor& x, int64_t count) {
  return x.defined() && x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 1 && x.size(0) == count &&
      x.is_contiguous();
}

// Rows of pixels, cut into units of work.
struct Rows {
  explicit Rows(const Tensor& x)
      : channels(x.size(1)),
        count(x.numel() / x.size(1)),
        each(std::max<int64_t>(1, kChunkElements / channels)),
        chunks((count + each - 1) / each) {}

  int64_t start(int64_t chunk) const { return chunk * each; }
  int64_t length(int64_t chunk) const { return std::min(each, count - chunk * each); }

  int64_t channels, count, each, chunks;
};

template <class Function>
void each_chunk(const Rows& rows, Function&& function) {
  at::parallel_for(0, rows.chunks, 1, [&](int64_t first, int64_t stop) {
    for (int64_t chunk = first; chunk < stop; chunk++) {
      function(chunk);
    }
  });
}

// Calls a function with the typed data of images of one element type.
template <class Function>
void typed(const Tensor& x, Function&& function) {
  if (x.scalar_type() == at::kFloat) {
    function(static_cast<float*>(nullptr));
  } else {
    function(static_cast<BFloat16*>(nullptr));
  }
}

template <class T>
T* data_of(const Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

Tensor like(const Tensor& x) { return at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast); }

struct BatchNormOptions {
  Tensor running_mean, running_variance;  // undefined to leave them alone
  double keep, epsilon;
  bool biased;
  Nonlinearity nonlinearity;
  c10::intrusive_ptr<Group> group;  // null: this process alone
  bool contributes;
};

struct BatchNorm : torch::autograd::Function<BatchNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const BatchNormOptions& options) {
    const Tensor &running_mean = options.running_mean, &running_variance = options.running_variance;
    const double keep = options.keep;
    const Rows rows(x);
    const int64_t channels = rows.channels;
    const Tensor parts = at::empty({rows.chunks, 2, channels}, weight.options());
    float* part = data_of<float>(parts);
    typed(x, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      each_chunk(rows, [&](int64_t chunk) {
        float* mean = part + chunk * 2 * channels;
        image_kernels(type).moments(data_of<T>(x) + rows.start(chunk) * channels, rows.length(chunk), channels, mean, mean + channels);
      });
    });

    // Chan's rule, in double precision: the parts' own squares and those of their means' distances.
    std::vector<double> mean(channels, 0), squares(channels, 0);
    for (int64_t chunk = 0; chunk < rows.chunks; chunk++) {
      const float* m = part + chunk * 2 * channels;
      const double share = static_cast<double>(rows.length(chunk)) / static_cast<double>(rows.count);
      for (int64_t c = 0; c < channels; c++) {
        mean[c] += share * m[c];
      }
    }
    for (int64_t chunk = 0; chunk < rows.chunks; chunk++) {
      const float* m = part + chunk * 2 * channels;
      const double length = static_cast<double>(rows.length(chunk));
      for (int64_t c = 0; c < channels; c++) {
        const double distance = m[c] - mean[c];
        squares[c] += m[channels + c] + length * distance * distance;
      }
    }

    double count = static_cast<double>(rows.count);
    if (options.group) {
      JoinedMoments joined = join_moments(*options.group, options.contributes ? count : 0, mean, squares);
      count = joined.count;
      mean = std::move(joined.mean);
      squares = std::move(joined.squares);
    }

    const Tensor saved = at::empty({4, channels}, weight.options());  // mean, 1 / deviation, scale, shift
    float* const saved_mean = data_of<float>(saved);
    float* const inverse = saved_mean + channels;
    float* const scale = inverse + channels;
    float* const shift = scale + channels;
    const float* w = data_of<float>(weight);
    const float* b = data_of<float>(bias);
    for (int64_t c = 0; c < channels; c++) {
      const double variance = squares[c] / count;
      const double deviation = 1 / std::sqrt(variance + options.epsilon);
      saved_mean[c] = static_cast<float>(mean[c]);
      inverse[c] = static_cast<float>(deviation);
      scale[c] = static_cast<float>(w[c] * deviation);
      shift[c] = static_cast<float>(b[c] - mean[c] * w[c] * deviation);
      if (running_mean.defined()) {
        float& m = data_of<float>(running_mean)[c];
        float& v = data_of<float>(running_variance)[c];
        m = static_cast<float>(keep * m + (1 - keep) * mean[c]);
        v = static_cast<float>(keep * v + (1 - keep) * (options.biased ? variance : squares[c] / (count - 1)));
      }
    }
    if (running_mean.defined()) {
      running_mean.unsafeGetTensorImpl()->bump_version();
      running_variance.unsafeGetTensorImpl()->bump_version();
    }

    Tensor y = like(x);
    typed(x, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      each_chunk(rows, [&](int64_t chunk) {
        const int64_t at = rows.start(chunk) * channels;
        image_kernels(type).normalise(data_of<T>(x) + at, data_of<T>(y) + at, rows.length(chunk), channels, scale, shift,
                  options.nonlinearity);
      });
    });
    context->save_for_backward({x, saved});
    context->saved_data["nonlinearity"] = static_cast<int64_t>(options.nonlinearity);
    context->saved_data["count"] = count;
    if (options.group) {
      context->saved_data["group"] = c10::IValue::make_capsule(options.group);
      context->saved_data["contributes"] = options.contributes;
    }
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list kept = context->get_saved_variables();
    const Tensor& x = kept[0];
    const Tensor gradient = gradients[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const Rows rows(x);
    const int64_t channels = rows.channels;
    const float* const mean = data_of<float>(kept[1]);
    const float* const inverse = mean + channels;
    const float* const scale = inverse + channels;
    const float* const shift = scale + channels;
    const auto f = static_cast<Nonlinearity>(context->saved_data["nonlinearity"].toInt());
    const Tensor parts = at::empty({rows.chunks, 2, channels}, kept[1].options());
    float* part = data_of<float>(parts);
    typed(x, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      each_chunk(rows, [&](int64_t chunk) {
        const int64_t at = rows.start(chunk) * channels;
        float* sum = part + chunk * 2 * channels;
        image_kernels(type).gradient_sums(data_of<T>(x) + at, data_of<T>(gradient) + at, rows.length(chunk), channels, scale, shift, mean,
                      f, sum, sum + channels);
      });
    });

    std::vector<double> sums(2 * channels, 0);
    for (int64_t chunk = 0; chunk < rows.chunks; chunk++) {
      const float* from = part + chunk * 2 * channels;
      for (int64_t c = 0; c < 2 * channels; c++) {
        sums[c] += from[c];
      }
    }

    const Tensor of_parameters = at::empty({2, channels}, kept[1].options());
    float* const of_weight = data_of<float>(of_parameters);
    float* const of_bias = of_weight + channels;
    for (int64_t c = 0; c < channels; c++) {
      of_bias[c] = static_cast<float>(sums[c]);
      of_weight[c] = static_cast<float>(sums[channels + c] * inverse[c]);
    }
    if (const auto group = context->saved_data.find("group"); group != context->saved_data.end()) {
      if (!context->saved_data["contributes"].toBool()) {
        std::fill(sums.begin(), sums.end(), 0);
      }
      c10::static_intrusive_pointer_cast<Group>(group->second.toCapsule())->sum(sums);
    }

    std::vector<float> coefficients(3 * channels);
    float* const a = coefficients.data();
    float* const b = a + channels;
    float* const c0 = b + channels;
    const double count = context->saved_data["count"].toDouble();
    for (int64_t c = 0; c < channels; c++) {
      const double deviation = inverse[c];
      const double slope = -scale[c] * deviation * deviation * sums[channels + c] / count;
      a[c] = scale[c];
      b[c] = static_cast<float>(slope);
      c0[c] = static_cast<float>(-scale[c] * sums[c] / count - slope * mean[c]);
    }

    Tensor result;
    if (context->needs_input_grad(0)) {
      result = like(x);
      typed(x, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        each_chunk(rows, [&](int64_t chunk) {
          const int64_t at = rows.start(chunk) * channels;
          image_kernels(type).normalise_backward(data_of<T>(x) + at, data_of<T>(gradient) + at, data_of<T>(result) + at,
                             rows.length(chunk), channels, scale, shift, f, a, b, c0);
        });
      });
    }
    return {result, of_parameters.select(0, 0), of_parameters.select(0, 1), Tensor()};
  }
};

struct Relu6 : torch::autograd::Function<Relu6> {
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    Tensor y = at::clamp(x, 0, 6);
    context->save_for_backward({y});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Tensor y = context->get_saved_variables()[0];
    Tensor gradient = gradients[0];
    if (gradient.strides() != y.strides() || gradient.scalar_type() != y.scalar_type()) {
      gradient = at::empty_like(y).copy_(gradient);
    }
    Tensor result = at::empty_like(y);
    typed(y, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      at::parallel_for(0, y.numel(), kChunkElements, [&](int64_t first, int64_t stop) {
        image_kernels(type).relu6_backward(data_of<T>(y) + first, data_of<T>(gradient) + first, data_of<T>(result) + first, stop - first);
      });
    });
    return {result};
  }
};

// For each cell of the input along one direction, the taps that meet it.
std::vector<Taps> all_taps(int64_t cells, int64_t kernel, int64_t stride, int64_t pad, int64_t outputs) {
  std::vector<Taps> all(static_cast<size_t>(cells));
  for (int64_t at = 0; at < cells; at++) {
    Taps& taps = all[at];
    taps.count = 0;
    for (int64_t k = 0; k < kernel; k++) {
      const int64_t moved = at + pad - k;
      if (moved >= 0 && moved % stride == 0 && moved / stride < outputs) {
        taps.tap[taps.count] = k;
        taps.cell[taps.count++] = moved / stride;
      }
    }
  }
  return all;
}

struct DepthwiseConv2d : torch::autograd::Function<DepthwiseConv2d> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Optional<Tensor>& bias,
                        std::vector<int64_t> stride, std::vector<int64_t> padding) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["bias"] = bias.has_value();
    return at::conv2d(x, weight, bias, stride, padding, {1, 1}, x.size(1));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list kept = context->get_saved_variables();
    const Tensor &x = kept[0], &weight = kept[1];
    const Tensor gradient = gradients[0].to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
    const auto stride = context->saved_data["stride"].toIntVector();
    const auto padding = context->saved_data["padding"].toIntVector();
    const int64_t channels = x.size(1), images = x.size(0);
    Depthwise d{};
    d.channels = channels;
    d.height = x.size(2);
    d.width = x.size(3);
    d.out_height = gradient.size(2);
    d.out_width = gradient.size(3);
    d.kernel_height = weight.size(2);
    d.kernel_width = weight.size(3);
    d.stride_down = stride[0];
    d.stride_across = stride[1];
    d.pad_top = padding[0];
    d.pad_left = padding[1];
    const int64_t taps = d.kernel_height * d.kernel_width;
    const float* g = data_of<float>(gradient);
    const int64_t image_size = d.height * d.width * channels, output_size = d.out_height * d.out_width * channels;

    Tensor of_input, of_weight, of_bias;
    if (context->needs_input_grad(0)) {
      const Tensor by_tap = weight.reshape({channels, taps}).t().contiguous();  // [taps, C]
      of_input = like(x);
      const std::vector<Taps> rows =
          all_taps(d.height, d.kernel_height, d.stride_down, d.pad_top, d.out_height);
      const std::vector<Taps> columns =
          all_taps(d.width, d.kernel_width, d.stride_across, d.pad_left, d.out_width);
      at::parallel_for(0, images * d.height, 1, [&](int64_t first, int64_t stop) {
        for (int64_t row = first; row < stop; row++) {
          kernels().depthwise_row_backward(d, rows[row % d.height], columns.data(), data_of<float>(by_tap),
                                           g + row / d.height * output_size,
                                           data_of<float>(of_input) + row * d.width * channels);
        }
      });
    }
    if (context->needs_input_grad(1)) {
      const Tensor by_tap = at::zeros({taps, channels}, weight.options());
      at::parallel_for(0, channels / kDepthwiseBlock, 1, [&](int64_t first, int64_t stop) {
        for (int64_t block = first; block < stop; block++) {
          for (int64_t image = 0; image < images; image++) {
            kernels().depthwise_weight_backward(d, data_of<float>(x) + image * image_size, g + image * output_size,
                                      data_of<float>(by_tap), block * kDepthwiseBlock);
          }
        }
      });
      of_weight = by_tap.t().contiguous().reshape(weight.sizes());
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) {
      of_bias = gradient.sum({0, 2, 3});
    }
    return {of_input, of_weight, of_bias, Tensor(), Tensor()};
  }
};

}  // namespace

kt_status kt_batch_norm(kt_tensor x_handle, kt_tensor weight_handle, kt_tensor bias_handle, kt_tensor mean_handle,
                        kt_tensor variance_handle, double keep, double epsilon, int32_t biased, int32_t nonlinearity,
                        kt_group group, int32_t contributes, kt_tensor* result) noexcept {
  *result = nullptr;
  return guarded([&] {
    const Tensor x = peek(x_handle), weight = peek(weight_handle), bias = peek(bias_handle);
    const Tensor mean = peek(mean_handle), variance = peek(variance_handle);
    if (!is_image(x) || (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16)) {
      return;
    }
    const int64_t channels = x.size(1);
    const bool statistics = !mean.defined() || (is_vector(mean, channels) && is_vector(variance, channels));
    if (x.numel() / channels < 2 || !is_vector(weight, channels) || !is_vector(bias, channels) || !statistics) {
      return;
    }
    const BatchNormOptions options{mean, variance, keep, epsilon, biased != 0, static_cast<Nonlinearity>(nonlinearity),
                                   group == nullptr ? c10::intrusive_ptr<Group>() : share_group(group),
                                   contributes != 0};
    *result = give(BatchNorm::apply(x, weight, bias, options));
  });
}

kt_status kt_relu6(kt_tensor x_handle, kt_tensor* result) noexcept {
  *result = nullptr;
  return guarded([&] {
    const Tensor x = peek(x_handle);
    const bool dense = x.defined() && x.is_cpu() && x.is_non_overlapping_and_dense();
    if (dense && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.requires_grad() &&
        at::GradMode::is_enabled()) {
      *result = give(Relu6::apply(x));
    }
  });
}

kt_status kt_depthwise_conv2d(kt_tensor x_handle, kt_tensor weight_handle, kt_tensor bias_handle,
                              const int64_t* stride, const int64_t* padding, kt_tensor* result) noexcept {
  *result = nullptr;
  return guarded([&] {
    const Tensor x = peek(x_handle), weight = peek(weight_handle), bias = peek(bias_handle);
    const bool training = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
    if (!training || !is_image(x) || x.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat ||
        weight.dim() != 4 || weight.size(0) != x.size(1) || weight.size(1) != 1 ||
        x.size(1) % kDepthwiseBlock != 0 || weight.size(2) > kMaxKernel || weight.size(3) > kMaxKernel ||
        autocast_on()) {
      return;
    }
    *result = give(DepthwiseConv2d::apply(x, weight, bias.defined() ? Optional<Tensor>(bias) : Optional<Tensor>(),
                                          std::vector<int64_t>{stride[0], stride[1]},
                                          std::vector<int64_t>{padding[0], padding[1]}));
  });
}
