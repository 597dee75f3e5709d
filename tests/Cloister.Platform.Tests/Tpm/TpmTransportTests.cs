using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>What goes wrong between a program and its TPM, with a TPM that does as the test says.</summary>
public sealed class TpmTransportTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly byte[] Random = FakeTpm.Answer(0x8001, 0, [0, 2, 7, 8]);

    [Theory]
    [InlineData("tpm0")]
    [InlineData("swtpm:socket")]
    [InlineData("")]
    [InlineData("tcp:127.0.0.1:2321")]
    [InlineData("/dev/tpm\0")]
    public void What_names_no_TPM_is_refused(string where) => Assert.Equal(PlatformError.TpmAddressInvalid, Assert.Throws<PlatformException>(() => new TpmDevice(where)).Error);

    [Fact]
    public void A_path_too_long_for_a_socket_is_refused() => Assert.Equal(PlatformError.TpmAddressInvalid, Assert.Throws<PlatformException>(() => new TpmDevice("swtpm:/" + new string('a', 200))).Error);

    [Theory]
    [InlineData("/dev/no-such-tpm")]
    [InlineData("/no/such/folder/tpm0")]
    [InlineData("swtpm:/no/such/socket")]
    public async Task A_TPM_that_is_not_there_is_named(string where)
    {
        using var device = new TpmDevice(where);
        PlatformException refused = await Refused(device);
        Assert.Equal(PlatformError.TpmAbsent, refused.Error);
        Assert.Contains(where.Replace("swtpm:", "", StringComparison.Ordinal), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_TPM_gives_no_answer()
    {
        string path = Path.GetTempFileName();
        using var device = new TpmDevice(path);
        Assert.Equal(PlatformError.TpmAnswerInvalid, (await Refused(device)).Error);
        File.Delete(path);
    }

    [Fact]
    public async Task A_device_is_written_and_read_whole()
    {
        await using var pseudo = new PseudoDevice(command => FakeTpm.CodeOf(command) == 0x17B ? Random : FakeTpm.Refusal(0x143));
        using var device = new TpmDevice(pseudo.Path);
        for (int i = 0; i < 10; i++)
            Assert.Equal([7, 8], await device.RandomAsync(2, None));
        Assert.Equal(0x143u, (await Assert.ThrowsAsync<PlatformException>(async () => await device.ResetAsync(16, None))).TpmCode);
    }

    [Theory]
    [InlineData(0x922u)]
    [InlineData(0x908u)]
    [InlineData(0x90Au)]
    [InlineData(0x920u)]
    public async Task A_TPM_that_asks_for_patience_gets_it(uint code)
    {
        int asked = 0;
        await using var tpm = new FakeTpm(_ => ++asked < 4 ? FakeTpm.Refusal(code) : Random);
        var time = new ManualTime();
        using var device = new TpmDevice(tpm.Address, time);
        Task<byte[]> random = device.RandomAsync(2, None).AsTask();
        await PassAsync(time, random);
        Assert.Equal([7, 8], await random);
        Assert.Equal(4, asked);
    }

    [Fact]
    public async Task Patience_ends()
    {
        await using var tpm = new FakeTpm(_ => FakeTpm.Refusal(0x922));
        var time = new ManualTime();
        using var device = new TpmDevice(tpm.Address, time);
        Task<byte[]> random = device.RandomAsync(2, None).AsTask();
        await PassAsync(time, random);
        PlatformException refused = await Assert.ThrowsAsync<PlatformException>(() => random);
        Assert.Equal((PlatformError.TpmBusy, 0x922u), (refused.Error, refused.TpmCode));
    }

    [Fact]
    public async Task Waiting_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        await using var tpm = new FakeTpm(_ => FakeTpm.Refusal(0x922));
        var time = new ManualTime();
        using var device = new TpmDevice(tpm.Address, time);
        Task<byte[]> random = device.RandomAsync(2, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => random);
    }

    [Fact]
    public async Task A_TPM_that_says_nothing_is_given_up_and_the_next_call_begins_anew()
    {
        bool silent = true;
        await using var tpm = new FakeTpm(_ => silent ? [] : Random);
        var time = new ManualTime();
        using var device = new TpmDevice(tpm.Address, time);
        Task<byte[]> random = device.RandomAsync(2, None).AsTask();
        await PassAsync(time, random, patience: true);
        Assert.Equal(PlatformError.TpmTimeout, (await Assert.ThrowsAsync<PlatformException>(() => random)).Error);
        silent = false;
        Assert.Equal([7, 8], await device.RandomAsync(2, None));
    }

    [Fact]
    public async Task A_lost_connection_is_said_and_the_next_call_begins_anew()
    {
        int asked = 0;
        await using var tpm = new FakeTpm(_ => ++asked == 1 ? null : Random);
        using var device = new TpmDevice(tpm.Address);
        Assert.Equal(PlatformError.TpmConnectionLost, (await Refused(device)).Error);
        Assert.Equal([7, 8], await device.RandomAsync(2, None));
    }

    [Theory]
    [InlineData(0x100u, PlatformError.TpmNotStarted)]
    [InlineData(0x101u, PlatformError.TpmRefused)]
    [InlineData(0x921u, PlatformError.TpmLockedOut)]
    [InlineData(0x99Du, PlatformError.TpmPolicyRefused)]
    [InlineData(0x143u, PlatformError.TpmRefused)]
    [InlineData(0xB0143u, PlatformError.TpmRefused)]
    public async Task A_refusal_is_explained(uint code, PlatformError error)
    {
        await using var tpm = new FakeTpm(_ => FakeTpm.Refusal(code));
        using var device = new TpmDevice(tpm.Address);
        PlatformException refused = await Refused(device);
        Assert.Equal((error, code), (refused.Error, refused.TpmCode));
        Assert.Contains($"0x{code:x3}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_TPM_is_swept_once_and_said_to_be_full_if_that_does_not_help()
    {
        var commands = new List<uint>();
        await using var tpm = new FakeTpm(command =>
        {
            commands.Add(FakeTpm.CodeOf(command));
            return FakeTpm.CodeOf(command) switch
            {
                0x17A => FakeTpm.Answer(0x8001, 0, [0, 0, 0, 0, 1, 0, 0, 0, 1, command[14], 0, 0, 9]),
                0x165 => FakeTpm.Answer(0x8001, 0, []),
                _ => FakeTpm.Refusal(0x903),
            };
        });
        using var device = new TpmDevice(tpm.Address);
        Assert.Equal(PlatformError.TpmFull, (await Refused(device)).Error);
        Assert.Equal([0x17Bu, 0x17A, 0x165, 0x17A, 0x165, 0x17B], commands);
    }

    [Fact]
    public async Task One_command_is_under_way_at_a_time()
    {
        int inside = 0, most = 0;
        await using var tpm = new FakeTpm(_ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            Interlocked.Decrement(ref inside);
            return Random;
        });
        using var device = new TpmDevice(tpm.Address);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => device.RandomAsync(2, None).AsTask()));
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Hostile_answers_are_refused_and_nothing_else()
    {
        byte[][] valid =
        [
            Random,
            FakeTpm.Answer(0x8001, 0, [0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0B, 3, 1, 0, 0, 0, 0, 0, 1, 0, 32, .. new byte[32]]),
            FakeTpm.Answer(0x8002, 0, [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0]),
        ];
        var seeds = new System.Random(7);
        byte[] next = [];
        await using var tpm = new FakeTpm(_ => next);
        using var transport = TpmTransport.To(tpm.Address);
        for (int i = 0; i < 2000; i++)
        {
            byte[] answer = [.. valid[seeds.Next(valid.Length)]];
            int length = answer.Length;
            for (int flips = seeds.Next(1, 4); flips > 0; flips--)
                answer[seeds.Next(answer.Length)] = (byte)(seeds.Next(3) == 0 ? seeds.Next(256) : seeds.Next(2) * 255);
            if (seeds.Next(4) == 0) answer = answer[..seeds.Next(length)];
            TpmAnswer.Fuzz(answer);
        }
        foreach (byte[] whole in new byte[][] { [0x80, 1, 0, 0, 0, 9, 0, 0, 0, 0], [0x80, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], FakeTpm.Answer(0x8003, 0, []), FakeTpm.Answer(0x8002, 0x101, []), FakeTpm.Answer(0x8001, 0x101, [1]) })
        {
            next = whole;
            Assert.Equal(PlatformError.TpmAnswerInvalid, (await Assert.ThrowsAsync<PlatformException>(async () => await transport.SendAsync(new TpmCommand(0x17B).UInt16(2).Finish(), None))).Error);
        }
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 2, 0, 0x0B, 3, 1, 0, 0, 0, 0x0C, 3, 1, 0, 0, 0, 0, 0, 0 })] // two banks
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0B, 3, 2, 0, 0, 0, 0, 0, 0 })] // another PCR
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0B, 3, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0 })] // a short value
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0B, 3, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF })] // very many values
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0B, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0 })] // a long selection
    [InlineData(new byte[] { 0, 0, 0, 1 })] // cut off
    public async Task PCRs_that_were_not_asked_for_are_refused(byte[] content)
    {
        await using var tpm = new FakeTpm(_ => FakeTpm.Answer(0x8001, 0, content));
        using var device = new TpmDevice(tpm.Address);
        PlatformException refused = await Assert.ThrowsAsync<PlatformException>(async () => await device.ReadPcrsAsync(TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [0]), None));
        Assert.Equal(PlatformError.TpmAnswerInvalid, refused.Error);
    }

    [Fact]
    public async Task A_quote_over_something_else_is_refused()
    {
        // A quote of nothing: the fake signs what it likes, and the device says that it is not what it asked for.
        await using var tpm = new FakeTpm(command => FakeTpm.CodeOf(command) switch
        {
            0x131 => FakeTpm.Answer(0x8002, 0, [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0]),
            0x17E => FakeTpm.Answer(0x8001, 0, [0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0B, 3, 1, 0, 0, 0, 0, 0, 1, 0, 32, .. new byte[32]]),
            0x158 => FakeTpm.Answer(0x8002, 0, [0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0]),
            _ => FakeTpm.Answer(0x8001, 0, []),
        });
        using var device = new TpmDevice(tpm.Address);
        PlatformException refused = await Assert.ThrowsAsync<PlatformException>(async () => await device.QuoteAsync(new byte[32], TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [0]), None));
        Assert.Equal(PlatformError.TpmAnswerInvalid, refused.Error);
    }

    /// <summary>Lets time pass whenever somebody waits between two tries (or, if wanted, for an answer), until it is done.</summary>
    private static async Task PassAsync(ManualTime time, Task done, bool patience = false)
    {
        while (true)
        {
            Task<DateTimeOffset> set = time.TimerSetAsync().AsTask();
            if (await Task.WhenAny(done, set) == done) return;
            TimeSpan wait = await set - time.GetUtcNow();
            if (wait > TimeSpan.FromMinutes(1) == patience) time.Advance(wait);
        }
    }

    private static async Task<PlatformException> Refused(TpmDevice device) => await Assert.ThrowsAsync<PlatformException>(async () => await device.RandomAsync(2, None));
}
