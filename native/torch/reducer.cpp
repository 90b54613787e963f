// Sums gradients over a group of processes, in buckets, while the backward pass is still working.
#include <ATen/ops/zeros.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>

#include "distributed.h"

using namespace kinora;
using at::Tensor;
using torch::autograd::variable_list;

namespace {

// The gradients of some parameters side by side. Behind them, one number a parameter says how many processes have a
// gradient for it, so that a parameter that nobody used is left without one.
struct Bucket {
  Tensor memory;
  std::vector<size_t> parameters;
  size_t missing = 0;
  c10::intrusive_ptr<c10d::Work> work;
};

struct Slot {
  Tensor parameter, view, flag;
  size_t bucket = 0;
  bool ready = false;
  std::shared_ptr<torch::autograd::Node> accumulator;  // holds the hook; autograd itself keeps it weakly
  uintptr_t hook = 0;
};

bool same_kind(const Tensor& a, const Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.device() == b.device();
}

struct Reducer {
  Reducer(c10::intrusive_ptr<Group> group_, const std::vector<Tensor>& parameters, int64_t bucket_bytes)
      : group(std::move(group_)), slots(parameters.size()) {
    // Backward passes give gradients roughly in the reverse order of registration.
    int64_t bytes = 0;
    for (size_t i = parameters.size(); i-- > 0;) {
      const Tensor& parameter = parameters[i];
      TORCH_CHECK(parameter.is_leaf() && parameter.requires_grad(), "parameter ", i, " takes no gradient");
      TORCH_CHECK(parameter.is_non_overlapping_and_dense(), "parameter ", i, " has gaps");
      TORCH_CHECK(parameter.is_cuda() == group->cuda, "parameter ", i, " is on ", parameter.device(),
                  ", where the group's exchanges are not");
      const int64_t size = parameter.numel() * parameter.element_size();
      if (buckets.empty() || bytes + size > bucket_bytes ||
          !same_kind(parameter, parameters[buckets.back().parameters[0]])) {
        buckets.emplace_back();
        bytes = 0;
      }
      bytes += size;
      buckets.back().parameters.push_back(i);
      slots[i].parameter = parameter;
      slots[i].bucket = buckets.size() - 1;
    }

    at::NoGradGuard no_graph;
    for (Bucket& bucket : buckets) {
      int64_t count = 0;
      for (size_t i : bucket.parameters) {
        count += slots[i].parameter.numel() + 1;
      }
      bucket.memory = at::zeros({count}, slots[bucket.parameters[0]].parameter.options().requires_grad(false));
      int64_t at = 0;
      for (size_t i : bucket.parameters) {
        const Tensor& parameter = slots[i].parameter;
        slots[i].view = bucket.memory.as_strided(parameter.sizes(), parameter.strides(), at);
        at += parameter.numel();
      }
      for (size_t i : bucket.parameters) {
        slots[i].flag = bucket.memory.narrow(0, at++, 1);
      }
    }

    for (size_t i = 0; i < slots.size(); i++) {
      slots[i].accumulator = torch::autograd::impl::grad_accumulator(slots[i].parameter);
      slots[i].hook = slots[i].accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [this, i](const variable_list& outputs, const variable_list&) {
            arrived(i);
            return outputs;
          }));
    }
  }

  ~Reducer() {
    for (Slot& slot : slots) {
      slot.accumulator->del_post_hook(slot.hook);
    }
  }

  void begin(bool contributes_) {
    contributes = contributes_;
    for (Bucket& bucket : buckets) {
      if (bucket.work) {  // of a step that failed half-way
        group->wait(*bucket.work);
        bucket.work.reset();
      }
      bucket.missing = bucket.parameters.size();
    }
    for (Slot& slot : slots) {
      const Tensor& gradient = slot.parameter.grad();
      TORCH_CHECK(!gradient.defined() || !gradient.is_alias_of(slot.view),
                  "a parameter of shape ", slot.parameter.sizes(), " still has the sum of the last step; drop it first");
      slot.ready = false;
    }
    launched = 0;
    armed = true;
  }

  void arrived(size_t index) {
    if (!armed) {
      return; // a pass whose gradients only add up here
    }
    Slot& slot = slots[index];
    TORCH_CHECK(!slot.ready, "a parameter of shape ", slot.parameter.sizes(),
                " got a second gradient after the first was sent; begin before the last backward pass of a step");
    fill(slot);
    launch();
  }

  // Copies one gradient to its bucket.
  void fill(Slot& slot) {
    at::NoGradGuard no_graph;
    const Tensor& gradient = slot.parameter.grad();
    const bool has = gradient.defined();
    if (!has || !contributes) {
      slot.view.zero_();
    } else {
      slot.view.copy_(gradient);
    }
    slot.flag.fill_(has ? 1 : 0);
    slot.ready = true;
    buckets[slot.bucket].missing--;
  }

  // All processes must send in the same order, whatever order their gradients come in.
  void launch() {
    while (launched < buckets.size() && buckets[launched].missing == 0) {
      buckets[launched].work = group->all_reduce(buckets[launched].memory, c10d::ReduceOp::SUM);
      launched++;
    }
  }

  // Sends what is left, waits, and hands the sums out. Returns how many buckets the backward pass itself sent.
  size_t finish() {
    TORCH_CHECK(armed, "finish without begin");
    armed = false;
    const size_t during = launched;
    for (Slot& slot : slots) {
      if (!slot.ready) {
        fill(slot);
      }
    }
    launch();
    at::NoGradGuard no_graph;
    for (Bucket& bucket : buckets) {
      group->wait(*bucket.work);
      bucket.work.reset();
      const Tensor flags = bucket.memory.narrow(0, bucket.memory.numel() - bucket.parameters.size(),
                                                bucket.parameters.size()).to(at::kCPU, at::kDouble);
      const double* used = static_cast<const double*>(flags.data_ptr());
      for (size_t k = 0; k < bucket.parameters.size(); k++) {
        Slot& slot = slots[bucket.parameters[k]];
        if (used[k] > 0) {
          // No copy: the bucket's memory is the gradient until the next step overwrites it.
          slot.parameter.mutable_grad() = slot.view;
        }
      }
    }
    return during;
  }

  c10::intrusive_ptr<Group> group;
  std::vector<Bucket> buckets;
  std::vector<Slot> slots;
  size_t launched = 0;
  bool armed = false, contributes = true;
};

Reducer& reducer_of(kt_reducer handle) { return *reinterpret_cast<Reducer*>(handle); }

}  // namespace

kt_status kt_reducer_create(kt_group group, const kt_tensor* parameters, int32_t count, int64_t bucket_bytes,
                            kt_reducer* reducer) noexcept {
  *reducer = nullptr;
  return guarded([&] {
    std::vector<Tensor> tensors;
    for (int32_t i = 0; i < count; i++) {
      tensors.push_back(peek(parameters[i]));
    }
    *reducer = reinterpret_cast<kt_reducer>(new Reducer(share_group(group), tensors, bucket_bytes));
  });
}

kt_status kt_reducer_release(kt_reducer reducer) noexcept {
  return guarded([&] { delete &reducer_of(reducer); });
}

kt_status kt_reducer_buckets(kt_reducer reducer, int32_t* count) noexcept {
  return guarded([&] { *count = static_cast<int32_t>(reducer_of(reducer).buckets.size()); });
}

kt_status kt_reducer_begin(kt_reducer reducer, int32_t contributes) noexcept {
  return guarded([&] { reducer_of(reducer).begin(contributes != 0); });
}

kt_status kt_reducer_finish(kt_reducer reducer, int32_t* sent_during_backward) noexcept {
  return guarded([&] { *sent_during_backward = static_cast<int32_t>(reducer_of(reducer).finish()); });
}
