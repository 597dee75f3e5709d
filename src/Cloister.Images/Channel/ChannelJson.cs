using System.Text.Json.Serialization;

namespace Cloister.Images.Channel;

/// <summary>The channel's JSON: camel case, unknown and doubled members refused. <see cref="ChannelMessage"/> reads and checks it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, MaxDepth = 4)]
[JsonSerializable(typeof(GuestReady))]
[JsonSerializable(typeof(MachineSettings))]
[JsonSerializable(typeof(GuestEvent))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecExit))]
[JsonSerializable(typeof(MachineStop))]
[JsonSerializable(typeof(MachineStopped))]
internal sealed partial class ChannelJson : JsonSerializerContext;
