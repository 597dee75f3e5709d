using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cloister.Agent.Interop;
using Cloister.Agent.Network;

namespace Cloister.Agent.Tests.Network;

/// <summary>The filter as a kernel takes it, in a network namespace of one thread.</summary>
public sealed partial class PacketFilterTests
{
    [Fact]
    public void A_kernel_takes_every_rule_and_loopback_passes()
    {
        Exception? failure = null;
        string? skipped = null;
        var thread = new Thread(() =>
        {
            if (unshare(0x40000000) != 0) // CLONE_NEWNET
            {
                skipped = Marshal.GetLastPInvokeErrorMessage();
                return;
            }
            failure = Record.Exception(() =>
            {
                var place = new IPEndPoint(IPAddress.Parse("10.0.2.2"), 2001);
                PacketFilter.Install([new PacketRule.Loopback(true), new PacketRule.Loopback(false), new PacketRule.Established(true), new PacketRule.Established(false), new PacketRule.Listen(8080), new PacketRule.Connect(place)]);
                PacketFilter.Add(new PacketRule.Connect(place, RootOnly: true));
                Interfaces.Raise("lo");
                using var listener = new TcpListener(IPAddress.Loopback, 0);
                listener.Start();
                using var client = new TcpClient();
                client.Connect((IPEndPoint)listener.LocalEndpoint);
                Assert.True(client.Connected);
                Assert.Throws<KernelException>(() => Interfaces.Configure("eth0", place.Address, 24, null));
            });
        });
        thread.Start();
        thread.Join();
        if (skipped is not null)
        {
            Console.WriteLine($"Not tested: no network namespace can be made here ({skipped}).");
            return;
        }
        Assert.Null(failure);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}
