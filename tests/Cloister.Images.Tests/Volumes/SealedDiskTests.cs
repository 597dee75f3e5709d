using Cloister.Images;
using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

public sealed class SealedDiskTests : IDisposable
{
    private readonly DiskScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task What_was_committed_last_opens()
    {
        Assert.Null(await _scene.ReadAsync());
        await _scene.CommitAsync("one", "two", "three");
        Assert.Equal("three", await _scene.ReadAsync());
        Assert.Equal(3ul, _scene.Counter.State.Version);
        await _scene.CommitAsync("four");
        Assert.Equal("four", await _scene.ReadAsync());
        Assert.Equal(4, _scene.Disk.Flushes);
    }

    [Fact]
    public async Task A_file_serves_as_a_disk_as_the_readme_says()
    {
        byte[] key = DiskScene.Key;
        string file = Path.Combine(_scene.NewFolder(), "data.disk"), data = _scene.NewFolder(), again = _scene.NewFolder();
        var layout = new DiskLayout(size: 2);
        BlockDeviceFile.Create(file, layout);
        Assert.Throws<IOException>(() => BlockDeviceFile.Create(file, layout));
        var identity = new DiskIdentity("data", Product: 1, Workload: "shop", Machine: null);
        using (SealedDisk disk = await SealedDisk.OpenAsync(BlockDeviceFile.Open(file), layout, identity, key, _scene.Counter, data))
        {
            await File.WriteAllTextAsync(Path.Combine(data, "order"), "one");
            await disk.CommitAsync(data);
            Assert.Equal(ImageError.DiskFailed, Assert.Throws<ImageException>(() => BlockDeviceFile.Open(file)).Error);
        }
        using SealedDisk opened = await SealedDisk.OpenAsync(BlockDeviceFile.Open(file), layout, identity, key, _scene.Counter, again);
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(again, "order")));
    }

    [Fact]
    public async Task Nothing_of_it_is_readable_on_the_disk()
    {
        string text = string.Concat(Enumerable.Repeat("a patient's name ", 500));
        await _scene.CommitAsync(text);
        Assert.True(_scene.Disk.Bytes.AsSpan().IndexOf("patient"u8) < 0);
        Assert.True(_scene.Disk.Bytes.AsSpan().IndexOf("text"u8) < 0);
        Assert.True(_scene.Disk.Bytes.AsSpan().IndexOf(DiskScene.Key) < 0);
    }

    [Fact]
    public async Task An_old_disk_is_refused()
    {
        await _scene.CommitAsync("one");
        MemoryDisk first = _scene.Disk.Copy();
        await _scene.CommitAsync("two");
        MemoryDisk second = _scene.Disk.Copy();
        Assert.Equal(ImageError.DiskOld, await _scene.RefusedAsync(first));
        await _scene.CommitAsync("three", "four", "five");
        Assert.Equal(ImageError.DiskOld, await _scene.RefusedAsync(first));
        Assert.Equal(ImageError.DiskOld, await _scene.RefusedAsync(second));
        Assert.Equal("five", await _scene.ReadAsync());
    }

    [Fact]
    public async Task An_empty_disk_is_refused_where_one_was_committed()
    {
        await _scene.CommitAsync("one");
        Assert.Equal(ImageError.DiskEmpty, await _scene.RefusedAsync(new MemoryDisk(DiskScene.Layout)));
    }

    [Fact]
    public async Task A_full_disk_is_refused_and_left_alone_where_nothing_was_committed()
    {
        await _scene.CommitAsync("one", "two");
        byte[] before = [.. _scene.Disk.Bytes];
        Assert.Equal(ImageError.DiskNotEmpty, await _scene.RefusedAsync(counter: new MemoryCounter()));
        Assert.Equal(before, _scene.Disk.Bytes);
        var foreign = new MemoryDisk(DiskScene.Layout);
        foreign.Bytes[1080] = 0x53; // another file system's mark
        Assert.Equal(ImageError.DiskNotEmpty, await _scene.RefusedAsync(foreign, counter: new MemoryCounter()));
    }

    [Fact]
    public async Task Slots_of_two_ages_do_not_make_a_disk()
    {
        await _scene.CommitAsync("one", "two");
        MemoryDisk old = _scene.Disk.Copy();
        await _scene.CommitAsync("three", "four");
        int half = old.Bytes.Length / 2;
        // Each half of each disk with the other's: what counts is version 4, in the first half.
        Assert.Equal("four", await _scene.ReadAsync(new MemoryDisk([.. _scene.Disk.Bytes[..half], .. old.Bytes[half..]])));
        Assert.Equal(ImageError.DiskOld, await _scene.RefusedAsync(new MemoryDisk([.. old.Bytes[..half], .. _scene.Disk.Bytes[half..]])));
        Assert.Equal(ImageError.DiskOld, await _scene.RefusedAsync(new MemoryDisk([.. _scene.Disk.Bytes[half..], .. _scene.Disk.Bytes[half..]])));
        Assert.Equal("four", await _scene.ReadAsync(new MemoryDisk([.. _scene.Disk.Bytes[..half], .. new byte[half]])));
        // A new header over old chunks.
        byte[] mixed = [.. _scene.Disk.Bytes];
        old.Bytes.AsSpan(IBlockDevice.BlockSize, DiskLayout.SealedChunk).CopyTo(mixed.AsSpan(IBlockDevice.BlockSize));
        Assert.Equal(ImageError.DiskChanged, await _scene.RefusedAsync(new MemoryDisk(mixed)));
    }

    [Fact]
    public async Task A_foreign_disk_is_refused()
    {
        await _scene.CommitAsync("one", "two", "three");
        byte[] other = [.. DiskScene.Key];
        other[31] ^= 1;
        Assert.Equal(ImageError.DiskForeign, await _scene.RefusedAsync(key: other));
        DiskIdentity ours = DiskScene.Identity;
        foreach (DiskIdentity identity in new[] { ours with { Name = "other" }, ours with { Product = 8 }, ours with { Workload = "databas" }, ours with { Machine = Guid.NewGuid() } })
            Assert.Equal(ImageError.DiskForeign, await _scene.RefusedAsync(identity: identity));
        Assert.Equal(ImageError.DiskKey, await _scene.RefusedAsync(key: DiskScene.Key[..31]));
    }

    [Fact]
    public async Task Two_disks_cannot_be_swapped()
    {
        using var second = new DiskScene();
        DiskIdentity identity = DiskScene.Identity with { Name = "second" };
        string folder = second.NewFolder();
        using (SealedDisk disk = await second.OpenAsync(folder, identity: identity))
            await disk.CommitAsync(folder);
        await _scene.CommitAsync("one");
        Assert.Equal(ImageError.DiskForeign, await _scene.RefusedAsync(second.Disk));
        Assert.Equal(ImageError.DiskForeign, await second.RefusedAsync(_scene.Disk, identity));
    }

    [Fact]
    public async Task A_disk_of_another_size_is_refused()
    {
        await _scene.CommitAsync("one");
        byte[] bytes = _scene.Disk.Bytes;
        foreach (int size in new[] { 0, 4096, bytes.Length / 2, bytes.Length - 1, bytes.Length - 4096, bytes.Length + 1, bytes.Length + 4096 })
        {
            var resized = new byte[size];
            bytes.AsSpan(0, Math.Min(size, bytes.Length)).CopyTo(resized);
            Assert.Equal(ImageError.DiskSize, await _scene.RefusedAsync(new MemoryDisk(resized)));
        }
    }

    [Fact]
    public async Task A_changed_bit_of_what_counts_is_refused_wherever_it_is()
    {
        await _scene.CommitAsync("one", new string('x', 200_000));
        int used = IBlockDevice.BlockSize + (4 * DiskLayout.SealedChunk);
        var random = new Random(20261122);
        // Every byte of the header, and a seeded choice of the rest.
        IEnumerable<int> places = Enumerable.Range(0, DiskHeader.Used).Concat(Enumerable.Range(0, 150).Select(_ => random.Next(DiskHeader.Used, used)));
        foreach (int place in places)
        {
            MemoryDisk changed = _scene.Disk.Copy();
            changed.Bytes[place] ^= (byte)(1 << random.Next(8));
            ImageError error = await _scene.RefusedAsync(changed);
            // A header that opens and says another length, key id or chunks could be another machine's commit of the same version.
            ImageError[] expected = place switch
            {
                8 or 9 => [ImageError.DiskFormat],
                31 => [ImageError.DiskConflict, ImageError.DiskChanged],
                (>= 24 and < 31) or (>= 64 and < 80) or (>= 112 and < 144) => [ImageError.DiskConflict],
                _ => [ImageError.DiskChanged],
            };
            Assert.Contains(error, expected);
        }
    }

    [Fact]
    public async Task Cut_off_content_is_refused_at_every_chunk()
    {
        await _scene.CommitAsync("one", new string('x', 200_000));
        for (int chunk = 0; chunk < 4; chunk++)
        {
            MemoryDisk cut = _scene.Disk.Copy();
            cut.Bytes.AsSpan(IBlockDevice.BlockSize + (chunk * DiskLayout.SealedChunk), _scene.Disk.Bytes.Length / 2 - IBlockDevice.BlockSize - (chunk * DiskLayout.SealedChunk)).Clear();
            Assert.Equal(ImageError.DiskChanged, await _scene.RefusedAsync(cut));
        }
        MemoryDisk swapped = _scene.Disk.Copy();
        Span<byte> first = swapped.Bytes.AsSpan(IBlockDevice.BlockSize, DiskLayout.SealedChunk), second = swapped.Bytes.AsSpan(IBlockDevice.BlockSize + DiskLayout.SealedChunk, DiskLayout.SealedChunk);
        byte[] kept = [.. first];
        second.CopyTo(first);
        kept.CopyTo(second);
        Assert.Equal(ImageError.DiskChanged, await _scene.RefusedAsync(swapped));
    }

    [Fact]
    public async Task A_power_cut_at_any_block_leaves_the_old_state_or_the_new_one()
    {
        await _scene.CommitAsync("one", "two");
        MemoryDisk before = _scene.Disk.Copy();
        DiskState counted = _scene.Counter.State;
        string folder = _scene.NewFolder();
        long blocks;
        using (SealedDisk disk = await _scene.OpenAsync(folder))
        {
            long already = _scene.Disk.BlocksWritten;
            await File.WriteAllTextAsync(Path.Combine(folder, "text"), "three");
            await disk.CommitAsync(folder);
            blocks = _scene.Disk.BlocksWritten - already;
        }
        for (long cut = 0; cut <= blocks; cut++)
        {
            MemoryDisk failing = before.Copy();
            failing.BlocksLeft = cut;
            var counter = new MemoryCounter { State = counted };
            string again = _scene.NewFolder();
            using SealedDisk disk = await _scene.OpenAsync(again, failing, counter: counter);
            await File.WriteAllTextAsync(Path.Combine(again, "text"), "three");
            if (cut < blocks)
            {
                var refused = await Assert.ThrowsAsync<ImageException>(() => disk.CommitAsync(again));
                Assert.Equal((ImageError.DiskFailed, 0), (refused.Error, counter.Raises));
            }
            else
            {
                await disk.CommitAsync(again);
            }
            string opened = _scene.NewFolder();
            using SealedDisk after = await _scene.OpenAsync(opened, new MemoryDisk(failing.Bytes), counter: counter);
            Assert.Equal(cut < blocks ? "two" : "three", await File.ReadAllTextAsync(Path.Combine(opened, "text")));
        }
    }

    [Fact]
    public async Task What_was_written_and_never_counted_is_ignored()
    {
        string folder = _scene.NewFolder();
        using (SealedDisk disk = await _scene.OpenAsync(folder))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "text"), "never");
            await disk.WriteAsync(folder);
        }
        Assert.Null(await _scene.ReadAsync());
        await _scene.CommitAsync("one");
        folder = _scene.NewFolder();
        using (SealedDisk disk = await _scene.OpenAsync(folder))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "text"), "never");
            await disk.WriteAsync(folder);
        }
        Assert.Equal("one", await _scene.ReadAsync());
        await _scene.CommitAsync("two");
        Assert.Equal("two", await _scene.ReadAsync());
    }

    [Theory]
    [InlineData(CounterFault.LosesRequests)]
    [InlineData(CounterFault.LosesAnswers)]
    public async Task A_raise_whose_answer_never_came_is_asked_again_and_not_written_over(object fault)
    {
        string folder = _scene.NewFolder();
        using SealedDisk disk = await _scene.OpenAsync(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "text"), "one");
        _scene.Counter.Fault = (CounterFault)fault;
        Assert.Equal(ImageError.DiskCounter, (await Assert.ThrowsAsync<ImageException>(() => disk.CommitAsync(folder))).Error);
        byte[] written = [.. _scene.Disk.Bytes];
        await Assert.ThrowsAsync<InvalidOperationException>(() => disk.WriteAsync(folder));
        Assert.Equal(ImageError.DiskCounter, (await Assert.ThrowsAsync<ImageException>(() => disk.CommitAsync(folder))).Error);
        Assert.Equal(written, _scene.Disk.Bytes);
        _scene.Counter.Fault = CounterFault.None;
        await File.WriteAllTextAsync(Path.Combine(folder, "text"), "two");
        await disk.CommitAsync(folder);
        Assert.Equal(2ul, disk.Current.Version);
        Assert.Equal("two", await _scene.ReadAsync());
    }

    [Fact]
    public async Task Of_two_machines_with_one_disk_the_second_to_commit_is_refused_and_stays_so()
    {
        await _scene.CommitAsync("one");
        MemoryDisk copy = _scene.Disk.Copy();
        string ours = _scene.NewFolder(), theirs = _scene.NewFolder();
        using SealedDisk first = await _scene.OpenAsync(ours), second = await _scene.OpenAsync(theirs, copy);
        await File.WriteAllTextAsync(Path.Combine(ours, "text"), "ours");
        await File.WriteAllTextAsync(Path.Combine(theirs, "text"), "theirs");
        await first.CommitAsync(ours);
        for (int attempt = 0; attempt < 2; attempt++)
            Assert.Equal(ImageError.DiskConflict, (await Assert.ThrowsAsync<ImageException>(() => second.CommitAsync(theirs))).Error);
        Assert.True(second.Lost);
        // The same version, and sealed under the right key: the digest tells that it is not the one that counts.
        Assert.Equal(ImageError.DiskConflict, await _scene.RefusedAsync(copy));
        Assert.Equal("ours", await _scene.ReadAsync());
    }

    [Fact]
    public async Task A_folder_that_does_not_fit_is_refused_and_the_disk_stays_what_it_was()
    {
        await _scene.CommitAsync("one");
        string folder = _scene.NewFolder();
        using SealedDisk disk = await _scene.OpenAsync(folder);
        await File.WriteAllBytesAsync(Path.Combine(folder, "large"), new byte[2 << 20]);
        Assert.Equal(ImageError.DiskFull, (await Assert.ThrowsAsync<ImageException>(() => disk.CommitAsync(folder))).Error);
        Assert.Equal("one", await _scene.ReadAsync());
        File.Delete(Path.Combine(folder, "large"));
        await disk.CommitAsync(folder);
        Assert.Equal(2ul, disk.Current.Version);
    }

    [Fact]
    public async Task No_disk_opens_over_a_folder_that_holds_something()
    {
        await _scene.CommitAsync("one");
        string folder = _scene.NewFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "mine"), "");
        Assert.Equal(ImageError.DiskContent, (await Assert.ThrowsAsync<ImageException>(() => _scene.OpenAsync(folder))).Error);
        Assert.True(File.Exists(Path.Combine(folder, "mine")));
    }
}
