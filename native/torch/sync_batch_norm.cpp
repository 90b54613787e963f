// Batch norm over the joined batch of a group of processes, for any floating-point type and number of dimensions.
// training.cpp has the quick one for channels-last images; their exchanges are the same, so processes may differ in
// which of the two they take.
#include <ATen/ops/native_batch_norm.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <cstring>

#include "distributed.h"

using namespace kinora;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

std::vector<double> to_vector(const Tensor& x) {
  const Tensor here = x.to(at::kCPU, at::kDouble).contiguous();
  const double* data = static_cast<const double*>(here.data_ptr());
  return std::vector<double>(data, data + here.numel());
}

Tensor to_tensor(const std::vector<double>& values, const at::TensorOptions& options) {
  Tensor here = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions().dtype(at::kDouble));
  std::memcpy(here.data_ptr(), values.data(), values.size() * sizeof(double));
  return here.to(options);
}

std::vector<int64_t> all_but_channels(const Tensor& x) {
  std::vector<int64_t> dimensions{0};
  for (int64_t d = 2; d < x.dim(); d++) {
    dimensions.push_back(d);
  }
  return dimensions;
}

// [C] to [1, C, 1, …].
Tensor along(const Tensor& vector, const Tensor& x) {
  std::vector<int64_t> shape(x.dim(), 1);
  shape[1] = vector.numel();
  return vector.reshape(shape);
}

// Sums are taken in at least float32.
Tensor wide(const Tensor& x) {
  return x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf ? x.to(at::kFloat) : x;
}

struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const c10::intrusive_ptr<Group>& group, bool contributes, const Tensor& running_mean,
                        const Tensor& running_variance, double keep, double epsilon, bool biased) {
    const std::vector<int64_t> dimensions = all_but_channels(x);
    const Tensor values = wide(x);
    const Tensor own_mean = values.mean(dimensions);
    const Tensor own_squares = (values - along(own_mean, x)).square_().sum(dimensions);
    const double own_count = contributes ? static_cast<double>(x.numel() / x.size(1)) : 0;
    const JoinedMoments joined = join_moments(*group, own_count, to_vector(own_mean), to_vector(own_squares));
    context->saved_data["alone"] = joined.count <= 1;
    if (joined.count <= 1) {
      context->save_for_backward({weight});
      return x.clone();
    }

    const Tensor mean = to_tensor(joined.mean, weight.options().requires_grad(false));
    const Tensor squares = to_tensor(joined.squares, weight.options().requires_grad(false).dtype(at::kDouble));
    const Tensor variance = (squares / joined.count).to(weight.scalar_type());
    if (running_mean.defined()) {
      const Tensor mixed = biased ? squares / joined.count : squares / (joined.count - 1);
      running_mean.mul_(keep).add_(mean, 1 - keep);
      running_variance.copy_(running_variance.to(at::kDouble) * keep + mixed * (1 - keep));
    }

    context->save_for_backward({x, weight, mean, variance});
    context->saved_data["group"] = c10::IValue::make_capsule(group);
    context->saved_data["contributes"] = contributes;
    context->saved_data["count"] = joined.count;
    context->saved_data["epsilon"] = epsilon;
    return std::get<0>(at::native_batch_norm(x, weight, bias, mean, variance, false, 0, epsilon));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list kept = context->get_saved_variables();
    variable_list result(10);
    if (context->saved_data["alone"].toBool()) {
      result[0] = gradients[0];
      result[1] = at::zeros_like(kept[0]);
      result[2] = at::zeros_like(kept[0]);
      return result;
    }

    const Tensor &x = kept[0], &weight = kept[1], &mean = kept[2], &variance = kept[3];
    const auto group = c10::static_intrusive_pointer_cast<Group>(context->saved_data["group"].toCapsule());
    const bool contributes = context->saved_data["contributes"].toBool();
    const double count = context->saved_data["count"].toDouble();
    const std::vector<int64_t> dimensions = all_but_channels(x);
    const Tensor gradient = wide(gradients[0]);
    const Tensor centred = wide(x) - along(mean, x);
    const Tensor inverse = (variance + context->saved_data["epsilon"].toDouble()).rsqrt();
    const Tensor sum = gradient.sum(dimensions), product = (gradient * centred).sum(dimensions);

    std::vector<double> sums = to_vector(sum);
    const std::vector<double> products = to_vector(product);
    sums.insert(sums.end(), products.begin(), products.end());
    if (!contributes) {
      std::fill(sums.begin(), sums.end(), 0);
    }
    group->sum(sums);

    if (context->needs_input_grad(0)) {
      const Tensor all = to_tensor(sums, weight.options().requires_grad(false).dtype(at::kDouble)) / count;
      const int64_t channels = x.size(1);
      const Tensor offset = all.narrow(0, 0, channels).to(inverse.scalar_type());
      const Tensor slope = (all.narrow(0, channels, channels) * inverse * inverse).to(inverse.scalar_type());
      result[0] = ((gradient - along(offset, x) - centred * along(slope, x)) * along(inverse * weight, x))
          .to(x.scalar_type());
    }
    result[1] = (product * inverse).to(weight.scalar_type());
    result[2] = sum.to(weight.scalar_type());
    return result;
  }
};

}  // namespace

kt_status kt_sync_batch_norm(kt_tensor x_handle, kt_tensor weight_handle, kt_tensor bias_handle, kt_tensor mean_handle,
                             kt_tensor variance_handle, double keep, double epsilon, int32_t biased, kt_group group,
                             int32_t contributes, kt_tensor* result) noexcept {
  *result = nullptr;
  return guarded([&] {
    const Tensor x = peek(x_handle), weight = peek(weight_handle), bias = peek(bias_handle);
    TORCH_CHECK(x.dim() >= 2 && x.numel() > 0 && x.size(1) == weight.numel(), "expected [N, C, …] with ",
                weight.numel(), " channels, found ", x.sizes());
    *result = give(SyncBatchNorm::apply(x, weight, bias, share_group(group), contributes != 0, peek(mean_handle),
                                        peek(variance_handle), keep, epsilon, biased != 0));
  });
}
