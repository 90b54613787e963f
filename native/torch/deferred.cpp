// A node of the graph whose gradient its owner works out: for parts of a network that are computed again in the backward
// pass instead of keeping what they computed.
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>

#include "shim.h"

using namespace kinora;
using torch::autograd::variable_list;

namespace {

struct Deferred final : torch::autograd::Node {
  Deferred(kt_gradient_function function, kt_release_function release, void* context)
      : function(function), release(release), context(context) {}
  ~Deferred() override { release(context); }

  variable_list apply(variable_list&& gradients) override {
    const at::Tensor& gradient = gradients[0];
    if (!gradient.defined()) {
      return {at::Tensor()};
    }
    // The engine may run the parts of one pass in any order that the graph allows, yet one at a time.
    const kt_tensor borrowed = give(gradient);
    kt_tensor result = nullptr;
    const kt_status status = function(context, borrowed, &result);
    drop(borrowed);
    TORCH_CHECK(status == KT_OK, "a part of the network couldn't be computed again");
    at::Tensor of_input = peek(result);
    drop(result);
    return {of_input};
  }

  std::string name() const override { return "Deferred"; }

  kt_gradient_function function;
  kt_release_function release;
  void* context;
};

}  // namespace

kt_status kt_defer_gradient(kt_tensor input, kt_tensor output, kt_gradient_function function,
                            kt_release_function release, void* context, kt_tensor* result) noexcept {
  return guarded([&] {
    Deferred* raw = nullptr;
    try {
      raw = new Deferred(function, release, context);
    } catch (...) {
      release(context);
      throw;
    }
    const std::shared_ptr<Deferred> node(raw, torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(peek(input)));
    at::Tensor y = peek(output).detach();
    torch::autograd::set_history(y, node);
    *result = give(y);
  });
}
