// A caching allocator for the CPU. A training step allocates and frees the same activations again and again, tens of
// megabytes each; malloc gives such blocks back to the system at once, and every step pays for fresh zeroed pages.
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <torch/version.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "shim.h"

namespace {

constexpr size_t kHeader = 64;             // in front of each block: its size class; keeps the data aligned
constexpr size_t kSmall = 64 << 10;        // below it malloc does well by itself
constexpr size_t kHugePage = 2 << 20;

class CachingAllocator final : public c10::Allocator {
 public:
#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR >= 203
  c10::DataPtr allocate(size_t bytes) override { return allocate_block(bytes); }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
#else
  c10::DataPtr allocate(size_t bytes) const override { return allocate_block(bytes); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  static void set_limit(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex());
    limit_ = bytes;
    if (cached_ > limit_) {
      trim();
    }
  }

  static size_t cached() {
    std::lock_guard<std::mutex> lock(mutex());
    return cached_;
  }

  static int64_t live() { return live_.load(std::memory_order_relaxed); }
  static int64_t peak() { return peak_.load(std::memory_order_relaxed); }
  static void reset_peak() { peak_.store(live(), std::memory_order_relaxed); }

 private:
  static void count(int64_t bytes) {
    const int64_t now = live_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    int64_t before = peak_.load(std::memory_order_relaxed);
    while (now > before && !peak_.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
  }

  // Eight classes between powers of two, so that at most an eighth of a block is waste.
  static size_t size_class(size_t bytes) {
    const size_t power = size_t{1} << (63 - __builtin_clzll(bytes));
    const size_t step = power >> 3;
    return (bytes + step - 1) & ~(step - 1);
  }

  static c10::DataPtr allocate_block(size_t bytes) {
    if (bytes == 0) {
      return {nullptr, nullptr, &release, c10::Device(c10::DeviceType::CPU)};
    }
    const size_t size = bytes < kSmall ? bytes : size_class(bytes);
    void* block = size < kSmall ? nullptr : take(size);
    if (block == nullptr) {
      const size_t alignment = size < kHugePage ? kHeader : kHugePage;
      if (posix_memalign(&block, alignment, size + kHeader) != 0) {
        {
          std::lock_guard<std::mutex> lock(mutex());
          trim();
        }
        TORCH_CHECK(posix_memalign(&block, alignment, size + kHeader) == 0, "not enough memory: ", bytes, " bytes");
      }
      if (alignment == kHugePage) {
        madvise(block, size + kHeader, MADV_HUGEPAGE);
      }
    }
    *static_cast<size_t*>(block) = size;
    count(static_cast<int64_t>(size));
    void* data = static_cast<char*>(block) + kHeader;
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  static void release(void* data) {
    if (data == nullptr) {
      return;
    }
    void* block = static_cast<char*>(data) - kHeader;
    const size_t size = *static_cast<size_t*>(block);
    live_.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
    if (size >= kSmall) {
      std::lock_guard<std::mutex> lock(mutex());
      if (cached_ + size <= limit_) {
        try {
          free_blocks()[size].push_back(block);
          cached_ += size;
          return;
        } catch (const std::bad_alloc&) {
          // No room to remember the block: give it back instead.
        }
      }
    }
    std::free(block);
  }

  static void* take(size_t size) {
    std::lock_guard<std::mutex> lock(mutex());
    const auto found = free_blocks().find(size);
    if (found == free_blocks().end() || found->second.empty()) {
      return nullptr;
    }
    void* block = found->second.back();
    found->second.pop_back();
    cached_ -= size;
    return block;
  }

  // The caller holds the mutex.
  static void trim() {
    for (auto& [size, blocks] : free_blocks()) {
      for (void* block : blocks) {
        std::free(block);
      }
      cached_ -= size * blocks.size();
      blocks.clear();
    }
  }

  // Never destroyed: tensors may be freed while the process ends.
  static std::mutex& mutex() {
    static auto* mutex = new std::mutex;
    return *mutex;
  }

  static std::unordered_map<size_t, std::vector<void*>>& free_blocks() {
    static auto* blocks = new std::unordered_map<size_t, std::vector<void*>>;
    return *blocks;
  }

  static size_t limit_;
  static size_t cached_;
  static std::atomic<int64_t> live_, peak_;
};

size_t CachingAllocator::limit_ = 0;
size_t CachingAllocator::cached_ = 0;
std::atomic<int64_t> CachingAllocator::live_{0}, CachingAllocator::peak_{0};

}  // namespace

kt_status kt_cache_limit(int64_t bytes) noexcept {
  return kinora::guarded([&] {
    static auto* allocator = new CachingAllocator;
    static std::once_flag installed;
    std::call_once(installed, [] { c10::SetCPUAllocator(allocator, 1); });
    CachingAllocator::set_limit(static_cast<size_t>(bytes));
  });
}

kt_status kt_cached_bytes(int64_t* bytes) noexcept {
  return kinora::guarded([&] { *bytes = static_cast<int64_t>(CachingAllocator::cached()); });
}

kt_status kt_live_bytes(int64_t* live, int64_t* peak, int32_t reset_peak) noexcept {
  return kinora::guarded([&] {
    *live = CachingAllocator::live();
    *peak = CachingAllocator::peak();
    if (reset_peak != 0) {
      CachingAllocator::reset_peak();
    }
  });
}
