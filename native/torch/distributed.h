// A group of processes: c10d's backends behind the few exchanges that training needs.
#pragma once
#include <ATen/core/ivalue.h>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/Types.hpp>
#include <torch/csrc/distributed/c10d/Work.hpp>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

#include <chrono>
#include <string>
#include <vector>

#include "shim.h"

namespace kinora {

#if TORCH_VERSION_MAJOR >= 2
using Communicator = c10d::Backend;
#else
using Communicator = c10d::ProcessGroup;
#endif

// Runs an exchange; whatever goes wrong in it is a peer's doing. Wrong operands are checked before.
template <class Function>
auto exchanged(Function&& function) {
  try {
    return function();
  } catch (const PeerError&) {
    throw;
  } catch (const c10::Error& e) {
    throw PeerError(e.what_without_backtrace());
  } catch (const std::exception& e) {
    throw PeerError(e.what());
  }
}

// Counted, because graphs of gradients keep it too.
struct Group : torch::CustomClassHolder {
  c10::intrusive_ptr<Communicator> communicator;
  int rank = 0, size = 1;
  bool cuda = false;  // its exchanges are between CUDA tensors
  std::chrono::milliseconds timeout{};

  c10::intrusive_ptr<c10d::Work> all_reduce(at::Tensor tensor, c10d::ReduceOp::RedOpType op);
  void wait(c10d::Work& work);

  // Sums over all processes, in place.
  void sum(std::vector<double>& values);
  // The values of all processes, in order of rank.
  std::vector<double> gather(const std::vector<double>& values);
};

Group& group_of(kt_group handle);
c10::intrusive_ptr<Group> share_group(kt_group handle);

// Sums, means and squared distances of one process's part of a batch, joined with those of the others.
struct JoinedMoments {
  double count;
  std::vector<double> mean, squares;
};
JoinedMoments join_moments(Group& group, double count, const std::vector<double>& mean,
                           const std::vector<double>& squares);

}  // namespace kinora
