namespace Kinora.Tensors.Tests;

public sealed class RendezvousTests
{
    [Theory]
    [InlineData("node[01-03,7]", "node01 node02 node03 node7")]
    [InlineData("a,b-2,c", "a b-2 c")]
    [InlineData("gpu-[9-11]", "gpu-9 gpu-10 gpu-11")]
    [InlineData("r[1-2]n[01,03].cluster,login", "r1n01.cluster r1n03.cluster r2n01.cluster r2n03.cluster login")]
    [InlineData("localhost", "localhost")]
    public void ExpandNodes_SlurmList_NamesInOrder(string list, string expected) => Assert.Equal(expected.Split(' '), Rendezvous.ExpandNodes(list));

    [Theory]
    [InlineData("")]
    [InlineData("a,,b")]
    [InlineData("a[1-2")]
    [InlineData("a]1[")]
    [InlineData("a[2-1]")]
    [InlineData("a[1-x]")]
    [InlineData("a[[1]]")]
    [InlineData("a[0-999999999]")]
    public void ExpandNodes_Unreadable_IsSaid(string list) => Assert.Contains($"'{list}'", Assert.Throws<ConfigException>(() => Rendezvous.ExpandNodes(list)).Message, StringComparison.Ordinal);

    [Fact]
    public void FromEnvironment_Torchrun_BeatsSlurm() =>
        Assert.Equal(
            new Rendezvous(5, 8, 1, "10.0.0.1", 29501),
            Read("RANK=5 WORLD_SIZE=8 LOCAL_RANK=1 LOCAL_WORLD_SIZE=4 MASTER_ADDR=10.0.0.1 MASTER_PORT=29501 SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0"));

    [Fact]
    public void FromEnvironment_Slurm_FirstNodeAndPortOfTheJob()
    {
        Assert.Equal(
            new Rendezvous(3, 4, 1, "gpu02", 22345),
            Read("SLURM_STEP_ID=0 SLURM_PROCID=3 SLURM_NTASKS=4 SLURM_LOCALID=1 SLURM_JOB_NODELIST=gpu[02-03] SLURM_JOB_ID=112345"));
        Assert.Equal(
            new Rendezvous(0, 2, 0, "127.0.0.1", 4000),
            Read("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=2 SLURM_LOCALID=0 SLURM_NODELIST=one SLURM_JOB_ID=7 MASTER_PORT=4000"));
    }

    [Fact]
    public void FromEnvironment_NothingOrABatchScript_OneProcess()
    {
        Assert.Null(Read(""));
        Assert.Null(Read("MASTER_ADDR=somewhere"));

        // The script of sbatch itself is task 0 of many, but srun hasn't started the others.
        Assert.Null(Read("SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_LOCALID=0 SLURM_JOB_NODELIST=one SLURM_JOB_ID=7"));
    }

    [Theory]
    [InlineData("RANK=0", "WORLD_SIZE")]
    [InlineData("WORLD_SIZE=2", "RANK")]
    [InlineData("RANK=2 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=1", "less than WORLD_SIZE 2, found 2")]
    [InlineData("RANK=0 WORLD_SIZE=2 LOCAL_RANK=1 MASTER_ADDR=a MASTER_PORT=1", "LOCAL_RANK")]
    [InlineData("RANK=3 WORLD_SIZE=4 LOCAL_RANK=3 LOCAL_WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=1", "LOCAL_WORLD_SIZE 2, found 3")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_PORT=1", "MASTER_ADDR")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a", "MASTER_PORT")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=70000", "'70000'")]
    [InlineData("RANK=-1 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=1", "'-1'")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=4 SLURM_NTASKS=4 SLURM_LOCALID=0 SLURM_NODELIST=a SLURM_JOB_ID=7", "SLURM_PROCID")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODELIST=a SLURM_JOB_ID=7", "SLURM_NTASKS")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_LOCALID=0 SLURM_NODELIST=a[1 SLURM_JOB_ID=7", "a[1")]
    [InlineData("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_LOCALID=0 SLURM_NODELIST=a SLURM_JOB_ID=x", "SLURM_JOB_ID")]
    public void FromEnvironment_ContradictionOrGap_IsNamed(string variables, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigException>(() => Read(variables)).Message, StringComparison.Ordinal);

    private static Rendezvous? Read(string variables)
    {
        Dictionary<string, string> set = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
        return Rendezvous.FromEnvironment(name => set.GetValueOrDefault(name));
    }
}
