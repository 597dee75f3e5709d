using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;
using Cloister.Platform;
using Cloister.Platform.Simulation;

namespace Cloister.Tests;

public sealed class SimulatorIssuerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_absent_simulator_is_named()
    {
        PlatformException absent = await Refused(new SimulatorIssuer(_folder["none"]));
        Assert.Equal(PlatformError.SimulatorAbsent, absent.Error);
        Assert.Contains(_folder["none"], absent.Message, StringComparison.Ordinal);
        Assert.Equal(PlatformError.SocketPathInvalid, (await Refused(new SimulatorIssuer(new string('x', 200)))).Error);
    }

    public static TheoryData<string, PlatformError> Answers() => new()
    {
        { "nothing", PlatformError.SimulatorAnswerInvalid },
        { "too long", PlatformError.SimulatorAnswerInvalid },
        { "empty", PlatformError.SimulatorAnswerInvalid },
        { "version", PlatformError.SimulatorAnswerInvalid },
        { "status", PlatformError.SimulatorAnswerInvalid },
        { "no report", PlatformError.SimulatorAnswerInvalid },
        { "a report for somebody else", PlatformError.SimulatorAnswerInvalid },
        { "refusal", PlatformError.SimulatorRefused },
    };

    [Theory, MemberData(nameof(Answers))]
    public async Task A_strange_answer_is_refused(string answer, PlatformError expected)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] frame = answer switch
        {
            "nothing" => [],
            "too long" => [0xFF, 0xFF, 0, 0],
            "empty" => [0, 0, 0, 0],
            "version" => [4, 0, 0, 0, 2, 0, 0, 0],
            "status" => [4, 0, 0, 0, 1, 0, 9, 0],
            "no report" => SimulatorWire.Grant("x"u8),
            "a report for somebody else" => SimulatorWire.Grant(SimulationReport.Encode(key, new byte[32], new byte[64], "x")),
            _ => SimulatorWire.Refuse(new string('é', SimulatorWire.MaximumFrame)),
        };
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder["s"]));
        listener.Listen();
        Task<PlatformException> asking = Refused(new SimulatorIssuer(_folder["s"]));
        using (Socket peer = await listener.AcceptAsync())
        {
            await SimulatorWire.ReadFrameAsync(peer, default);
            await SimulatorWire.WriteAsync(peer, frame, default);
        }
        Assert.Equal(expected, (await asking).Error);
    }

    [Fact]
    public async Task A_simulator_that_never_answers_is_given_up()
    {
        var time = new ManualTime();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder["s"]));
        listener.Listen();
        Task<PlatformException> asking = Refused(new SimulatorIssuer(_folder["s"], time));
        await time.TimerSetAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(PlatformError.SimulatorTimeout, (await asking).Error);
    }

    [Fact]
    public async Task Runtime_data_have_a_limit() => await Assert.ThrowsAsync<ArgumentException>(async () =>
        await new SimulatorIssuer(_folder["s"]).IssueAsync(PeerProgram.Binding, new byte[EvidenceCodec.MaximumRuntimeData + 1], default));

    [Fact]
    public void Mutated_frames_are_questions_answers_or_refused()
    {
        var random = new Random(4);
        foreach (byte[] valid in (byte[][])[SimulatorWire.Question(new byte[64])[4..], SimulatorWire.Grant(new byte[100])[4..], SimulatorWire.Refuse("no")[4..], []])
            for (int i = 0; i < 1_000; i++)
            {
                byte[] changed = [.. valid[..random.Next(valid.Length + 1)], .. Enumerable.Range(0, random.Next(3)).Select(_ => (byte)random.Next(256))];
                if (changed.Length > 0) changed[random.Next(Math.Min(changed.Length, 6))] ^= (byte)(1 << random.Next(8));
                SimulatorWire.Fuzz(changed);
            }
    }

    [Fact]
    public void Without_a_simulator_there_is_no_issuer()
    {
        Assert.Equal(PlatformError.NoAttester, Assert.Throws<PlatformException>(() => PlatformProbe.CreateIssuer(new PlatformOptions())).Error);
        IEvidenceIssuer issuer = PlatformProbe.CreateIssuer(new PlatformOptions(_folder["s"]));
        Assert.Equal(TeeKind.Simulation, issuer.Kind);
        Assert.True(issuer.Simulated);
    }

    [Fact]
    public async Task A_test_only_issuer_is_accepted_by_its_own_policy_alone()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuer = new TestOnlyIssuer(key, new byte[32]);
        EvidenceSet evidence = await issuer.IssueAsync(PeerProgram.Binding, "x"u8.ToArray(), default);
        AttestationResult Appraise(SimulationPolicy policy) => VerifierRegistry.CreateDefault().Appraise(evidence, PeerProgram.Binding, policy, VerificationTime.NoTimeCheck);
        Appraise(issuer.Policy).RequireAccepted();
        Assert.Equal(Refusal.HostKeyNotAccepted, Appraise(new TestOnlyIssuer(other, new byte[32]).Policy).Refused!.Refusal);
    }

    private static async Task<PlatformException> Refused(SimulatorIssuer issuer) =>
        await Assert.ThrowsAsync<PlatformException>(async () => await issuer.IssueAsync(PeerProgram.Binding, default, default));
}
