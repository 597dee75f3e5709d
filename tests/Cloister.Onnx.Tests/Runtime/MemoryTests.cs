using System.Runtime.Versioning;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Runtime;

/// <summary>What the whole process holds is looked at here, so nothing else may run beside.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public class MemoryCollection;

[Collection(nameof(MemoryTests))]
[SupportedOSPlatform("linux")]
public class MemoryTests
{
    private const long Megabyte = 1 << 20;

    [Fact]
    public void AHundredThousandPredictionsLeaveNothingBehind()
    {
        using var session = OrtSession.FromMemory(HandmadeModel.Relu(64));
        float[] values = new float[64];
        using var reused = OrtTensor.OverPinned<float>(values, [1, 64]);
        using var place = OrtTensor.Allocate<float>([1, 64]);
        using var options = new OrtRunOptions();

        void Predict(int count)
        {
            OrtTensor?[] allocated = [null];
            for (int i = 0; i < count; i++)
            {
                values[i % 64] = i;
                if (i % 2 == 0)
                {
                    session.Run([reused], [place], options);
                    continue;
                }
                // Everything anew, as a careless caller does it.
                using var input = OrtTensor.Allocate<float>([1, 64]);
                allocated[0] = null;
                session.Run([input], allocated);
                allocated[0]!.Dispose();
                if (i % 100 == 1)
                    Assert.Throws<ArgumentException>(() => session.Run([place, place], allocated));
                if (i % 100 == 51)
                    Assert.Throws<OnnxRuntimeException>(() => OrtSession.FromMemory(new byte[] { 1, 2, 3 }));
            }
        }

        Predict(20_000);
        AssertLevels(() => Predict(100_000));
    }

    [Fact]
    public void SessionsComeAndGo()
    {
        byte[] model = HandmadeModel.Relu(64);
        void Load(int count)
        {
            for (int i = 0; i < count; i++)
                OrtSession.FromMemory(model).Dispose();
        }

        Load(200);
        AssertLevels(() => Load(2_000));
    }

    [Fact]
    public void AQuarterOfAGigabyteOfWeightsIsHeldOnce()
    {
        const int side = 8192; // 8192 x 8192 floats
        byte[] model = new HandmadeModel().Input("x", 1, -1, side).External("W", 1, [side, side], "w").Node("MatMul", ["x", "W"], ["y"])
            .Output("y", 1, -1, side).ToBytes();
        using var weights = PinnedBuffer.Allocate((long)side * side * 4);
        for (long at = 0; at < weights.Length; at += Megabyte)
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(weights.Span(at, (int)Megabyte)).Fill(0.5f);
        using var x = OrtTensor.Allocate<float>([1, side]);
        using var y = OrtTensor.Allocate<float>([1, side]);
        x.Span<float>().Fill(1);

        long before = Resident("VmRSS");
        File.WriteAllText("/proc/self/clear_refs", "5"); // the peak starts anew
        using var session = OrtSession.FromMemory(model, new OrtSessionOptions { DisablePrepacking = true },
            ExternalWeightsTests.Weights(("w", weights)));
        session.Run([x], [y]);

        Assert.Equal(-1, y.Span<float>().IndexOfAnyExcept(side / 2f));
        Assert.True(session.WeightsInPlace);
        Assert.InRange(Resident("VmHWM") - before, long.MinValue, 25 * Megabyte); // a tenth of the weights
    }

    [Fact]
    public void WithoutAnArenaMemoryGoesBackAfterARun()
    {
        const int floats = 64 << 18; // 64 MiB
        byte[] model = new HandmadeModel().Input("n", 7, 1).Node("ConstantOfShape", ["n"], ["t"]).Node("Exp", ["t"], ["u"]).Node("ReduceMax", ["u"], ["y"])
            .Output("y", 1, 1).ToBytes();
        using var n = OrtTensor.OverPinned<long>(new long[] { floats }, [1]);
        using var y = OrtTensor.Allocate<float>([1]);
        long Kept(bool disableArena)
        {
            using var session = OrtSession.FromMemory(model, new OrtSessionOptions { DisableArena = disableArena });
            long before = Resident("VmRSS");
            session.Run([n], [y]);
            Assert.Equal(1, y.Span<float>()[0]);
            return Resident("VmRSS") - before;
        }

        Assert.InRange(Kept(disableArena: true), long.MinValue, 16 * Megabyte);
        Assert.InRange(Kept(disableArena: false), 48 * Megabyte, long.MaxValue);
    }

    [Fact]
    public void ThreadsAreThoseAskedFor()
    {
        int Started(OrtSessionOptions options)
        {
            int before = Threads();
            using var session = OrtSession.FromMemory(HandmadeModel.Relu(), options);
            return Threads() - before;
        }

        // The framework's own threads come and go as well, but not in such numbers.
        Assert.InRange(Started(new OrtSessionOptions()), -10, 10);
        Assert.InRange(Started(new OrtSessionOptions { IntraThreads = 41 }), 30, 50);
        Assert.InRange(Started(new OrtSessionOptions { InterThreads = 40 }), 30, 50);
        Assert.Throws<ArgumentOutOfRangeException>(() => Started(new OrtSessionOptions { IntraThreads = -1 }));

        static int Threads() => Directory.GetDirectories("/proc/self/task").Length;
    }

    // A leak grows in every round; what the framework and the allocator keep for themselves levels off after some.
    private static void AssertLevels(Action round)
    {
        const int rounds = 8;
        long grown = 0;
        for (int i = 0; i < rounds; i++)
        {
            long before = Resident("VmRSS");
            round();
            grown = Resident("VmRSS") - before;
            if (grown < 8 * Megabyte)
                return;
        }
        Assert.Fail($"Every one of {rounds} rounds grew by 8 MB and more, the last by {grown}.");
    }

    private static long Resident(string field)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(field.Length + 1).Trim().TrimEnd(" kB"), System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }
}
