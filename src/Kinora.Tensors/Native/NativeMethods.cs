using System.Runtime.InteropServices;

namespace Kinora.Tensors.Native;

/// <summary>The exports of libkinora_torch; native/torch/kinora_torch.h describes them.</summary>
internal static unsafe partial class NativeMethods
{
    public const string Library = "kinora_torch";

    static NativeMethods() => NativeLoader.Prepare();

    [LibraryImport(Library)]
    public static partial int kt_abi(NativeAbi* info);

    [LibraryImport(Library)]
    public static partial int kt_error(byte** text, long* length);

    [LibraryImport(Library)]
    public static partial int kt_version(byte** text);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int kt_operator_find(string name, string overload, nint* found);

    [LibraryImport(Library)]
    public static partial int kt_operator_schema(nint op, byte** text);

    [LibraryImport(Library)]
    public static partial int kt_operator_argument_count(nint op, int* count);

    [LibraryImport(Library)]
    public static partial int kt_operator_argument(nint op, int index, NativeArgument* argument);

    [LibraryImport(Library)]
    public static partial int kt_call(nint op, NativeValue* arguments, int argumentCount, NativeValue* results, int capacity, int* resultCount);

    [LibraryImport(Library)]
    public static partial int kt_tensor_release(nint tensor);

    [LibraryImport(Library)]
    public static partial int kt_tensor_retain(nint tensor, nint* same);

    [LibraryImport(Library)]
    public static partial int kt_tensor_describe(nint tensor, NativeTensorInfo* info);

    [LibraryImport(Library)]
    public static partial int kt_live_tensors(long* handles);

    [LibraryImport(Library)]
    public static partial int kt_tensor_set_requires_grad(nint tensor, int on);

    [LibraryImport(Library)]
    public static partial int kt_tensor_grad(nint tensor, nint* gradient);

    [LibraryImport(Library)]
    public static partial int kt_tensor_set_grad(nint tensor, nint gradient);

    [LibraryImport(Library)]
    public static partial int kt_backward(nint root, nint gradient, int retainGraph);

    [LibraryImport(Library)]
    public static partial int kt_grad_mode(int on, int* previous);

    [LibraryImport(Library)]
    public static partial int kt_inference_enter(nint* guard);

    [LibraryImport(Library)]
    public static partial int kt_inference_leave(nint guard);

    [LibraryImport(Library)]
    public static partial int kt_autocast(int device, int on, int dtype, int* previousOn, int* previousDType);

    [LibraryImport(Library)]
    public static partial int kt_device_count(int type, int* count);

    [LibraryImport(Library)]
    public static partial int kt_use_device(int type, int index, int* previousType, int* previousIndex);

    [LibraryImport(Library)]
    public static partial int kt_general_optimizers(int on);

    [LibraryImport(Library)]
    public static partial int kt_shapes_only(int on, int* previous);

    [LibraryImport(Library)]
    public static partial int kt_set_threads(int count);

    [LibraryImport(Library)]
    public static partial int kt_threads(int* count);

    [LibraryImport(Library)]
    public static partial int kt_cache_limit(long bytes);

    [LibraryImport(Library)]
    public static partial int kt_cached_bytes(long* bytes);

    [LibraryImport(Library)]
    public static partial int kt_live_bytes(long* live, long* peak, int resetPeak);

    [LibraryImport(Library)]
    public static partial int kt_defer_gradient(nint input, nint output, delegate* unmanaged<nint, nint, nint*, int> function, delegate* unmanaged<nint, void> release, nint context, nint* result);

    [LibraryImport(Library)]
    public static partial int kt_batch_norm(nint x, nint weight, nint bias, nint runningMean, nint runningVariance, double keep, double epsilon, int biased, int nonlinearity, nint group, int contributes, nint* result);

    [LibraryImport(Library)]
    public static partial int kt_relu6(nint x, nint* result);

    [LibraryImport(Library)]
    public static partial int kt_depthwise_conv2d(nint x, nint weight, nint bias, long* stride, long* padding, nint* result);

    [LibraryImport(Library)]
    public static partial int kt_sgd(int count, nint* parameters, nint* gradients, nint* velocities, double* rates, double* decays, double momentum, int nesterov);

    [LibraryImport(Library)]
    public static partial int kt_rmsprop(int count, nint* parameters, nint* gradients, nint* squares, nint* means, nint* momenta, double* rates, double* decays, double rho, double epsilon, double momentum);

    [LibraryImport(Library)]
    public static partial int kt_adam(int count, nint* parameters, nint* gradients, nint* firsts, nint* seconds, double* rates, double* epsilons, double* decays, double* keeps, double beta1, double beta2);

    [LibraryImport(Library)]
    public static partial int kt_squared_norm(int count, nint* tensors, double* sum);

    [LibraryImport(Library)]
    public static partial int kt_backends(int* backends);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int kt_store_open(string host, int port, int rank, int size, long timeoutMs, nint* store);

    [LibraryImport(Library)]
    public static partial int kt_store_close(nint store);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int kt_store_set(nint store, string key, byte* bytes, long count);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int kt_store_try_get(nint store, string key, byte* bytes, long capacity, long* count);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int kt_group_create(int backend, nint store, string name, int rank, int size, long timeoutMs, nint* group);

    [LibraryImport(Library)]
    public static partial int kt_group_release(nint group);

    [LibraryImport(Library)]
    public static partial int kt_group_all_reduce(nint group, nint tensor, int operation, nint* work);

    [LibraryImport(Library)]
    public static partial int kt_group_broadcast(nint group, nint tensor, int root, nint* work);

    [LibraryImport(Library)]
    public static partial int kt_group_all_gather(nint group, nint tensor, nint result, nint* work);

    [LibraryImport(Library)]
    public static partial int kt_group_barrier(nint group);

    [LibraryImport(Library)]
    public static partial int kt_work_wait(nint work, nint group);

    [LibraryImport(Library)]
    public static partial int kt_work_test(nint work, int* done);

    [LibraryImport(Library)]
    public static partial int kt_work_release(nint work);

    [LibraryImport(Library)]
    public static partial int kt_reducer_create(nint group, nint* parameters, int count, long bucketBytes, nint* reducer);

    [LibraryImport(Library)]
    public static partial int kt_reducer_release(nint reducer);

    [LibraryImport(Library)]
    public static partial int kt_reducer_buckets(nint reducer, int* count);

    [LibraryImport(Library)]
    public static partial int kt_reducer_begin(nint reducer, int contributes);

    [LibraryImport(Library)]
    public static partial int kt_reducer_finish(nint reducer, int* sentDuringBackward);

    [LibraryImport(Library)]
    public static partial int kt_sync_batch_norm(nint x, nint weight, nint bias, nint runningMean, nint runningVariance, double keep, double epsilon, int biased, nint group, int contributes, nint* result);
}
