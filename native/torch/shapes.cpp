// Shapes without values. Tensors on libtorch's "meta" device have sizes and no memory, and operators on them work out
// sizes only. libtorch 1.13 has no such kernels for much of what networks consist of; here they are.
#include <ATen/ExpandUtils.h>
#include <ATen/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/native/ConvUtils.h>
#include <ATen/native/Pool.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>
#include <torch/version.h>

#include <tuple>
#include <vector>

#include "shim.h"

#define KT_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

namespace kinora {
namespace {

#if KT_TORCH >= 204
using OptionalTensor = std::optional<at::Tensor>;
#else
using OptionalTensor = c10::optional<at::Tensor>;
#endif

using at::IntArrayRef;
using at::Tensor;

// One number may stand for all axes.
std::vector<int64_t> per_axis(IntArrayRef values, int64_t axes) {
  return values.size() == 1 ? std::vector<int64_t>(static_cast<size_t>(axes), values[0]) : values.vec();
}

Tensor convolution(const Tensor& input, const Tensor& weight, const OptionalTensor& /*bias*/, IntArrayRef stride,
                   IntArrayRef padding, IntArrayRef dilation, bool transposed, IntArrayRef /*output_padding*/,
                   int64_t groups) {
  TORCH_CHECK_NOT_IMPLEMENTED(!transposed, "shape of a transposed convolution");
  TORCH_CHECK(input.dim() == weight.dim() && input.dim() > 2, "expected an input of as many dimensions as the weight");
  TORCH_CHECK(input.size(1) == weight.size(1) * groups, "expected ", weight.size(1) * groups, " channels");
  const int64_t axes = input.dim() - 2;
  const std::vector<int64_t> sizes = at::native::conv_output_size(
      input.sizes(), weight.sizes(), per_axis(padding, axes), per_axis(stride, axes), per_axis(dilation, axes));
  for (int64_t size : sizes) {
    TORCH_CHECK(size > 0, "the kernel is larger than the padded input");
  }
  return at::empty(sizes, input.options());
}

std::tuple<Tensor, Tensor, Tensor> batch_norm(const Tensor& input, const OptionalTensor& /*weight*/,
                                              const OptionalTensor& /*bias*/, const OptionalTensor& /*mean*/,
                                              const OptionalTensor& /*variance*/, bool training, double /*momentum*/,
                                              double /*epsilon*/) {
  const Tensor statistics = at::empty({training ? input.size(1) : 0}, input.options());
  return {at::empty_like(input), statistics, statistics};
}

std::tuple<Tensor, Tensor, Tensor> layer_norm(const Tensor& input, IntArrayRef normalized, const OptionalTensor& /*weight*/,
                                              const OptionalTensor& /*bias*/, double /*epsilon*/) {
  const size_t axes = static_cast<size_t>(input.dim());
  TORCH_CHECK(normalized.size() <= axes && input.sizes().slice(axes - normalized.size()) == normalized,
              "expected the last sizes to be ", normalized);
  std::vector<int64_t> sizes = input.sizes().vec();
  std::fill(sizes.end() - static_cast<std::ptrdiff_t>(normalized.size()), sizes.end(), 1);
  const Tensor statistics = at::empty(sizes, input.options());
  return {at::empty_like(input, at::MemoryFormat::Contiguous), statistics, statistics};
}

std::tuple<Tensor, Tensor> max_pool3d(const Tensor& input, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding,
                                      IntArrayRef dilation, bool ceil_mode) {
  const std::vector<int64_t> k = per_axis(kernel, 3), s = stride.empty() ? k : per_axis(stride, 3);
  const std::vector<int64_t> p = per_axis(padding, 3), d = per_axis(dilation, 3);
  std::vector<int64_t> sizes = input.sizes().vec();
  for (size_t i = 0; i < 3; i++) {
    int64_t& size = sizes[sizes.size() - 3 + i];
    size = at::native::pooling_output_shape<int64_t>(size, k[i], p[i], s[i], d[i], ceil_mode);
  }
  return {at::empty(sizes, input.options()), at::empty(sizes, input.options().dtype(at::kLong))};
}

// Of the input's shape: rearrangements, and functions of single elements.
Tensor rearranged(const Tensor& input, IntArrayRef /*dims*/) { return at::empty_like(input, at::MemoryFormat::Contiguous); }
Tensor roll(const Tensor& input, IntArrayRef /*shifts*/, IntArrayRef dims) { return rearranged(input, dims); }
Tensor elementwise(const Tensor& input) { return at::empty_like(input); }
Tensor hardtanh(const Tensor& input, const at::Scalar& /*low*/, const at::Scalar& /*high*/) { return elementwise(input); }

Tensor where(const Tensor& condition, const Tensor& yes, const Tensor& no) {
  return at::empty(at::infer_size(condition.sizes(), at::infer_size(yes.sizes(), no.sizes())),
                   yes.options().dtype(at::result_type(yes, no)));
}

Tensor index_select(const Tensor& input, int64_t dim, const Tensor& index) {
  std::vector<int64_t> sizes = input.sizes().vec();
  if (!sizes.empty()) {
    sizes[static_cast<size_t>(at::maybe_wrap_dim(dim, input.dim()))] = index.numel();
  }
  return at::empty(sizes, input.options());
}

// Registers what this libtorch hasn't got.
class MetaKernels {
 public:
  MetaKernels() : library_(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__) {
    add("convolution", "", &convolution);
    add("native_batch_norm", "", &batch_norm);
    add("native_layer_norm", "", &layer_norm);
    add("max_pool3d_with_indices", "", &max_pool3d);
    add("relu", "", &elementwise);
    add("hardswish", "", &elementwise);
    add("hardtanh", "", &hardtanh);
    add("flip", "", &rearranged);
    add("roll", "", &roll);
    add("where", "self", &where);
    add("index_select", "", &index_select);
  }

 private:
  template <class Function>
  void add(const char* name, const char* overload, Function function) {
    const auto op = c10::Dispatcher::singleton().findSchemaOrThrow((std::string("aten::") + name).c_str(), overload);
    if (!op.hasKernelForDispatchKey(c10::DispatchKey::Meta)) {
      library_.impl((*overload == 0 ? std::string(name) : std::string(name) + '.' + overload).c_str(), function);
    }
  }

  torch::Library library_;
};

thread_local bool shapes_only_here = false;

}  // namespace

bool shapes_only() noexcept { return shapes_only_here; }

}  // namespace kinora

kt_status kt_shapes_only(int32_t on, int32_t* previous) noexcept {
  return kinora::guarded([&] {
    // Never destroyed: operators may still be called while the process ends.
    [[maybe_unused]] static const auto* kernels = new kinora::MetaKernels;
    *previous = kinora::shapes_only_here ? 1 : 0;
    kinora::shapes_only_here = on != 0;
  });
}
