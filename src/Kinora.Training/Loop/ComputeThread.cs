using System.Runtime.ExceptionServices;

namespace Kinora.Training;

/// <summary>
/// Runs work on a thread of its own and waits for it. Grad mode, autocast and scopes belong to a thread, and libtorch
/// keeps its pool of workers beside the thread that calls it: all tensor work of a run happens on one.
/// </summary>
internal static class ComputeThread
{
    private const int StackBytes = 16 << 20; // Backward passes recurse through deep graphs.

    public static T Run<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(Body, StackBytes) { Name = "kinora compute", IsBackground = true };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;

        void Body()
        {
            try
            {
                result = work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }
    }
}
