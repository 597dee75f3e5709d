namespace Cloister.Images;

/// <summary>What is wrong with an image, its sources or its machine. Numbers are stable and append-only: 1xx what was given, 2xx building, 3xx starting and running, 4xx inside, 5xx sealed disks.</summary>
public enum ImageError
{
    /// <summary>The image's definition is not one; the message names the member.</summary>
    DefinitionInvalid = 100,

    /// <summary>The machine has less memory than what is in the image needs; the message says how much.</summary>
    MemoryTooSmall = 101,

    /// <summary>A file or folder that goes into the image cannot be read; the message names it.</summary>
    SourceUnreadable = 110,

    /// <summary>Something in a source cannot be part of an image: a device, a path that leads out, a name that clashes.</summary>
    SourceRefused = 111,

    /// <summary>An archive is not what it should be: malformed, a digest that differs, an unknown compression.</summary>
    ArchiveInvalid = 112,

    /// <summary>A source is larger than what an image may hold.</summary>
    SourceTooLarge = 113,

    /// <summary>Packages cannot be found, downloaded or do not fit together.</summary>
    PackagesUnavailable = 114,

    /// <summary>A downloaded file is not the one that was named: its digest differs.</summary>
    DownloadDiffers = 115,

    /// <summary>The inputs are not those of the image's lock; the message says what changed.</summary>
    LockDiffers = 116,

    /// <summary>An entry point's program is not in the image, or cannot be executed.</summary>
    ProgramMissing = 117,

    /// <summary>Something to be made is there already.</summary>
    AlreadyExists = 118,

    /// <summary>A program that building needs is not on this machine; the message says how to get it.</summary>
    ToolMissing = 200,

    /// <summary>A program that building uses ended with an error; the message has its words.</summary>
    ToolFailed = 201,

    /// <summary>A folder or package is no image, or its files do not belong together.</summary>
    ImageInvalid = 202,

    /// <summary>The image's files do not give the measurements that stand beside them.</summary>
    MeasurementsDiffer = 203,

    /// <summary>A kernel, module or stub is not of the form that images are made of; the message names it.</summary>
    BootPartInvalid = 250,

    /// <summary>The accelerator that was asked for does not work here.</summary>
    AcceleratorUnusable = 301,

    /// <summary>This computer has too little free memory for the machine; the message says how much is needed.</summary>
    HostMemoryTooSmall = 302,

    /// <summary>A port of this computer is in use; the message names it.</summary>
    PortInUse = 303,

    /// <summary>The machine runs already.</summary>
    MachineRunning = 304,

    /// <summary>The machine does not run.</summary>
    MachineNotRunning = 305,

    /// <summary>The folder is not a machine's, or what is in it is not what it should be.</summary>
    MachineFolderInvalid = 306,

    /// <summary>The machine's TPM or its certificates could not be made.</summary>
    TpmSetupFailed = 307,

    /// <summary>The machine ended before it did what was asked.</summary>
    MachineEnded = 308,

    /// <summary>What came through the channel between machine and host is not of its protocol.</summary>
    ChannelInvalid = 309,

    /// <summary>The machine did not start the program; the message holds its reason.</summary>
    ExecRefused = 310,

    /// <summary>A data disk's file is missing, of another size, or not of this image.</summary>
    DiskInvalid = 311,

    /// <summary>How the machine is to be started is contradictory or not allowed by the image; the message names the setting.</summary>
    MachineOptionInvalid = 313,

    /// <summary>The host asks for what the image's definition does not allow.</summary>
    NotAllowed = 400,

    /// <summary>A program could not be started; the message has the kernel's reason.</summary>
    ProgramStart = 401,

    /// <summary>A file of the activation could not be written into memory; the message has its path.</summary>
    FileNotPlaced = 402,

    /// <summary>The host's settings lack what the image needs, or are not usable.</summary>
    SettingsInvalid = 403,

    /// <summary>The machine has no disk of this name.</summary>
    DiskMissing = 500,

    /// <summary>The disk does not have the size that its definition leads to: it was cut, extended, or made for another definition.</summary>
    DiskSize = 501,

    /// <summary>The activation does not bring the disk's key, or it is not 32 bytes in hexadecimal.</summary>
    DiskKey = 502,

    /// <summary>The disk is empty, and the coordinator knows of one that is not.</summary>
    DiskEmpty = 503,

    /// <summary>The disk is an old one: the coordinator knows of a newer version.</summary>
    DiskOld = 504,

    /// <summary>The disk was sealed under another key, name, product, workload or machine.</summary>
    DiskForeign = 505,

    /// <summary>The disk's bytes are not those that were sealed.</summary>
    DiskChanged = 506,

    /// <summary>The disk holds something, and the coordinator knows of none.</summary>
    DiskNotEmpty = 507,

    /// <summary>Another machine committed the same disk in between; what this one holds is not kept.</summary>
    DiskConflict = 508,

    /// <summary>What the folder holds does not fit the disk.</summary>
    DiskFull = 509,

    /// <summary>The folder, or what was sealed as one, holds what a sealed disk does not keep.</summary>
    DiskContent = 510,

    /// <summary>The coordinator could not be asked; whether a commit counts is then not known, and the next one finds out.</summary>
    DiskCounter = 511,

    /// <summary>The disk could not be read or written.</summary>
    DiskFailed = 512,

    /// <summary>The disk has a format that this program does not know.</summary>
    DiskFormat = 513,
}
