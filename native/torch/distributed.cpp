// Groups of processes and their exchanges: gloo between CPU tensors, NCCL between CUDA tensors.
#include "distributed.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#if defined(USE_C10D_GLOO)
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#if defined(USE_C10D_NCCL)
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <cstdlib>
#include <cstring>

using namespace kinora;
using at::Tensor;

namespace {

struct SharedStore {
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::string host;
};

SharedStore& store_of(kt_store handle) { return *reinterpret_cast<SharedStore*>(handle); }

#if defined(USE_C10D_GLOO)
// Where this process listens. The system's own name leads to the right interface in most clusters; a group on one
// machine needs no name at all.
std::shared_ptr<::gloo::transport::Device> listen_on(const std::string& host) {
  if (const char* name = std::getenv("GLOO_SOCKET_IFNAME"); name != nullptr && *name != 0) {
    return c10d::ProcessGroupGloo::createDeviceForInterface(name);
  }
  if (host == "localhost" || host.rfind("127.", 0) == 0 || host == "::1") {
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  }
  return c10d::ProcessGroupGloo::createDefaultDevice();
}
#endif

c10::intrusive_ptr<Communicator> communicate(int32_t backend, const SharedStore& shared, const char* name, int rank,
                                             int size, std::chrono::milliseconds timeout) {
  const auto store = c10::make_intrusive<c10d::PrefixStore>(name, shared.store);
  if (backend == KT_GLOO) {
#if defined(USE_C10D_GLOO)
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    options->devices.push_back(listen_on(shared.host));
    return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
#else
    TORCH_CHECK(false, "libkinora_torch was built without gloo; install libgloo-dev and build it again");
#endif
  }
#if defined(USE_C10D_NCCL)
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
#else
  TORCH_CHECK(false, "libkinora_torch was built without NCCL; build it against a libtorch with CUDA (KINORA_LIBTORCH)");
#endif
}

void require_dense(const Group& group, const Tensor& tensor) {
  TORCH_CHECK(tensor.defined() && tensor.is_non_overlapping_and_dense(), "expected a tensor without gaps");
  TORCH_CHECK(tensor.is_cuda() == group.cuda, "expected a tensor in ", group.cuda ? "CUDA" : "CPU", " memory, found ",
              tensor.device());
}

// The elements as they lie in memory, so that every layout is exchanged without a copy.
Tensor flat(const Tensor& tensor) { return tensor.detach().as_strided({tensor.numel()}, {1}); }

Tensor carrier(const Group& group, int64_t count) {
  return at::empty({count}, at::TensorOptions().dtype(at::kDouble).device(group.cuda ? at::kCUDA : at::kCPU));
}

Tensor to_group(const Group& group, const std::vector<double>& values) {
  Tensor here = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions().dtype(at::kDouble));
  std::memcpy(here.data_ptr(), values.data(), values.size() * sizeof(double));
  return group.cuda ? here.to(at::kCUDA) : here;
}

void from_group(const Tensor& values, double* out) {
  const Tensor here = values.to(at::kCPU).contiguous();
  std::memcpy(out, here.data_ptr(), here.numel() * sizeof(double));
}

}  // namespace

namespace kinora {

Group& group_of(kt_group handle) {
  TORCH_CHECK(handle != nullptr, "expected a group");
  return *reinterpret_cast<Group*>(handle);
}

c10::intrusive_ptr<Group> share_group(kt_group handle) {
  return c10::intrusive_ptr<Group>::reclaim_copy(&group_of(handle));
}

c10::intrusive_ptr<c10d::Work> Group::all_reduce(Tensor tensor, c10d::ReduceOp::RedOpType op) {
  std::vector<Tensor> tensors{std::move(tensor)};
  c10d::AllreduceOptions options;
  options.reduceOp = op;
  return exchanged([&] { return communicator->allreduce(tensors, options); });
}

void Group::wait(c10d::Work& work) {
  exchanged([&] {
    if (!work.wait(timeout)) {
      throw PeerError("the exchange was given up");
    }
  });
}

void Group::sum(std::vector<double>& values) {
  const Tensor joined = to_group(*this, values);
  wait(*all_reduce(joined, c10d::ReduceOp::SUM));
  from_group(joined, values.data());
}

std::vector<double> Group::gather(const std::vector<double>& values) {
  std::vector<Tensor> own{to_group(*this, values)};
  std::vector<std::vector<Tensor>> all(1);
  for (int i = 0; i < size; i++) {
    all[0].push_back(carrier(*this, own[0].numel()));
  }
  wait(*exchanged([&] { return communicator->allgather(all, own); }));
  std::vector<double> joined(values.size() * size);
  for (int i = 0; i < size; i++) {
    from_group(all[0][i], joined.data() + i * values.size());
  }
  return joined;
}

JoinedMoments join_moments(Group& group, double count, const std::vector<double>& mean,
                           const std::vector<double>& squares) {
  const size_t channels = mean.size();
  std::vector<double> own{count};
  own.insert(own.end(), mean.begin(), mean.end());
  own.insert(own.end(), squares.begin(), squares.end());
  const std::vector<double> all = group.gather(own);
  JoinedMoments joined{0, std::vector<double>(channels, 0), std::vector<double>(channels, 0)};
  for (int rank = 0; rank < group.size; rank++) {
    joined.count += all[rank * own.size()];
  }
  // Chan's rule, once over the means and once over their distances. A process without samples adds nothing.
  for (int rank = 0; rank < group.size; rank++) {
    const double* part = all.data() + rank * own.size();
    for (size_t c = 0; part[0] > 0 && c < channels; c++) {
      joined.mean[c] += part[0] / joined.count * part[1 + c];
    }
  }
  for (int rank = 0; rank < group.size; rank++) {
    const double* part = all.data() + rank * own.size();
    for (size_t c = 0; part[0] > 0 && c < channels; c++) {
      const double distance = part[1 + c] - joined.mean[c];
      joined.squares[c] += part[1 + channels + c] + part[0] * distance * distance;
    }
  }
  return joined;
}

}  // namespace kinora

kt_status kt_backends(int32_t* backends) noexcept {
  *backends = 0;
#if defined(USE_C10D_GLOO)
  *backends |= 1 << KT_GLOO;
#endif
#if defined(USE_C10D_NCCL)
  *backends |= 1 << KT_NCCL;
#endif
  return KT_OK;
}

kt_status kt_store_open(const char* host, int32_t port, int32_t rank, int32_t size, int64_t timeout_ms,
                        kt_store* store) noexcept {
  *store = nullptr;
  return guarded([&] {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = rank == 0;
    options.numWorkers = size;
    options.timeout = std::chrono::milliseconds(timeout_ms);
    auto opened = exchanged([&] { return c10::make_intrusive<c10d::TCPStore>(host, options); });
    *store = reinterpret_cast<kt_store>(new SharedStore{std::move(opened), host});
  });
}

kt_status kt_store_close(kt_store store) noexcept {
  return guarded([&] { delete &store_of(store); });
}

kt_status kt_store_set(kt_store store, const char* key, const uint8_t* bytes, int64_t count) noexcept {
  return guarded([&] {
    exchanged([&] { store_of(store).store->set(key, std::vector<uint8_t>(bytes, bytes + count)); });
  });
}

kt_status kt_store_try_get(kt_store store, const char* key, uint8_t* bytes, int64_t capacity,
                           int64_t* count) noexcept {
  *count = -1;
  return guarded([&] {
    exchanged([&] {
      if (store_of(store).store->check({key})) {
        const std::vector<uint8_t> value = store_of(store).store->get(key);
        *count = static_cast<int64_t>(value.size());
        std::memcpy(bytes, value.data(), std::min<size_t>(value.size(), capacity));
      }
    });
  });
}

kt_status kt_group_create(int32_t backend, kt_store store, const char* name, int32_t rank, int32_t size,
                          int64_t timeout_ms, kt_group* group) noexcept {
  *group = nullptr;
  return guarded([&] {
    TORCH_CHECK(backend == KT_GLOO || backend == KT_NCCL, "unknown backend ", backend);
    int32_t there;
    kt_backends(&there);
    const std::chrono::milliseconds timeout(timeout_ms);
    auto made = c10::make_intrusive<Group>();
    const auto connect = [&] { return communicate(backend, store_of(store), name, rank, size, timeout); };
    made->communicator = (there & (1 << backend)) == 0 ? connect() : exchanged(connect);
    made->rank = rank;
    made->size = size;
    made->cuda = backend == KT_NCCL;
    made->timeout = timeout;
    *group = reinterpret_cast<kt_group>(made.release());
  });
}

kt_status kt_group_release(kt_group group) noexcept {
  return guarded([&] { c10::intrusive_ptr<Group>::reclaim(&group_of(group)); });
}

kt_status kt_group_all_reduce(kt_group group_handle, kt_tensor tensor_handle, int32_t operation,
                              kt_work* work) noexcept {
  *work = nullptr;
  return guarded([&] {
    Group& group = group_of(group_handle);
    const Tensor tensor = peek(tensor_handle);
    require_dense(group, tensor);
    const auto op = operation == KT_MAX ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM;
    *work = reinterpret_cast<kt_work>(group.all_reduce(flat(tensor), op).release());
  });
}

kt_status kt_group_broadcast(kt_group group_handle, kt_tensor tensor_handle, int32_t root, kt_work* work) noexcept {
  *work = nullptr;
  return guarded([&] {
    Group& group = group_of(group_handle);
    const Tensor tensor = peek(tensor_handle);
    require_dense(group, tensor);
    std::vector<Tensor> tensors{flat(tensor)};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    *work = reinterpret_cast<kt_work>(exchanged([&] { return group.communicator->broadcast(tensors, options); }).release());
  });
}

kt_status kt_group_all_gather(kt_group group_handle, kt_tensor tensor_handle, kt_tensor result_handle,
                              kt_work* work) noexcept {
  *work = nullptr;
  return guarded([&] {
    Group& group = group_of(group_handle);
    const Tensor tensor = peek(tensor_handle), result = peek(result_handle);
    require_dense(group, tensor);
    require_dense(group, result);
    TORCH_CHECK(result.numel() == tensor.numel() * group.size && result.scalar_type() == tensor.scalar_type(),
                "expected room for ", group.size, " times ", tensor.numel(), " elements, found ", result.numel());
    std::vector<Tensor> own{flat(tensor)};
    std::vector<std::vector<Tensor>> all(1);
    for (int i = 0; i < group.size; i++) {
      all[0].push_back(flat(result).narrow(0, i * tensor.numel(), tensor.numel()));
    }
    *work = reinterpret_cast<kt_work>(exchanged([&] { return group.communicator->allgather(all, own); }).release());
  });
}

kt_status kt_group_barrier(kt_group group_handle) noexcept {
  return guarded([&] {
    // A sum that everybody must have sent something for; works alike with every backend.
    std::vector<double> one{1};
    group_of(group_handle).sum(one);
  });
}

kt_status kt_work_wait(kt_work work, kt_group group) noexcept {
  return guarded([&] { group_of(group).wait(*reinterpret_cast<c10d::Work*>(work)); });
}

kt_status kt_work_test(kt_work work, int32_t* done) noexcept {
  return guarded([&] { *done = reinterpret_cast<c10d::Work*>(work)->isCompleted() ? 1 : 0; });
}

kt_status kt_work_release(kt_work work) noexcept {
  return guarded([&] { c10::intrusive_ptr<c10d::Work>::reclaim(reinterpret_cast<c10d::Work*>(work)); });
}
