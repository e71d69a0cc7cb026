"""How each port of the firmware is built: one row a port, nothing is run here.

Rule of this room: data only. Warnings are errors in every build; whatever decides what comes out stands in the row, so
that its digest (with the sources') names the result. Images that ship are made by the first compiler of a row.
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER", "RECIPES", "SHIPPED", "ZIG", "Recipe"]

FOLDER = Path(__file__).parent
ZIG = "zig"
"""The compiler that is a Python package."""
_STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-Wpedantic")
_CORE = ("core", "boards")
_SMALL = ("-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wl,--build-id=none", "-s")
_ARM = (*_STRICT, *_SMALL, "-Wl,-n", "-nostartfiles", "--specs=nano.specs", "-mthumb", "-Tport/armv7m/memory.ld")
"""`-n`: no machine without pages needs the padding to their borders, which was a third of an image."""
_ZIG_ARM = (*_STRICT, *_SMALL, "-ffreestanding", "-fno-sanitize=undefined", "-Wl,-T,port/armv7m/memory.ld",
            "-Wl,-e,hil_reset", "-Wl,-z,max-page-size=4096")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one program comes about.

    Attributes:
        port: Its name.
        compiler: The program that makes it; `zig`: the one of the Python package ziglang.
        flags: What the compiler is told ahead of the sources.
        folders: Where its sources lie, below the firmware's folder; each is searched for headers, too.
        output: Name of the result.
        libraries: What the compiler is told behind the sources.
        install: What to type where the compiler is missing.
        prebuilt: Whether the result ships with the package.
        header: A file of this machine that has to be there, too.
        otherwise: How the same comes about where this compiler is missing.
    """

    port: str
    compiler: str
    flags: tuple[str, ...]
    folders: tuple[str, ...]
    output: str
    libraries: tuple[str, ...] = ()
    install: str = "apt-get install gcc"
    prebuilt: bool = False
    header: str = ""
    otherwise: "Recipe | None" = None

    @property
    def to_install(self) -> str:
        """What to type where no compiler is there."""
        return self.install + ("" if self.otherwise is None else f" (or {self.otherwise.install})")

    def sources(self) -> list[Path]:
        """Return the files to compile, sorted."""
        return [path for folder in self.folders for path in sorted((FOLDER / folder).glob("*.c"))]

    def inputs(self) -> list[Path]:
        """Return every file that decides what comes out, sorted: sources, headers, linker scripts."""
        found = [path for folder in self.folders for path in (FOLDER / folder).iterdir()]
        return sorted(path for path in found if path.suffix in (".c", ".h", ".ld"))

    def digest(self) -> str:
        """Return the SHA-256 over the recipe and its inputs, line ends made alike."""
        total = hashlib.sha256(repr((self.compiler, self.flags, self.folders, self.libraries)).encode())
        for path in self.inputs():
            total.update(path.relative_to(FOLDER).as_posix().encode() + b"\0")
            total.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
        return total.hexdigest()

    def command(self, output: Path) -> list[str]:
        """Return the command that makes `output`, to be run in the firmware's folder (so that no path goes in)."""
        includes = [f"-I{folder}" for folder in self.folders]
        sources = [path.relative_to(FOLDER).as_posix() for path in self.sources()]
        compiler = [sys.executable, "-m", "ziglang", "cc"] if self.compiler == ZIG else [self.compiler]
        return [*compiler, *self.flags, *includes, "-o", str(output), *sources, *self.libraries]


def _by_zig(port: str, flags: tuple[str, ...], folders: tuple[str, ...], output: str) -> Recipe:
    return Recipe(port, ZIG, flags, folders, output, install='pip install "hil-testbench[firmware]"')


def _mps2(port: str, core: str, *cpu: str, zig: tuple[str, ...]) -> Recipe:
    """Arm's MPS2 with one of its cores: the same sources for all of them."""
    name, output = f"-DHIL_CORE={core}", f"imu6-{port}.elf"
    zigs = _by_zig(port, (*_ZIG_ARM, *zig, name), (*_MPS2, "port/freestanding"), output)
    return Recipe(port, "arm-none-eabi-gcc", (*_ARM, *cpu, name), _MPS2, output, install=_GET_ARM, prebuilt=True,
                  otherwise=zigs)  # fmt: skip


_GET_ARM = "apt-get install --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi"
_GET_AVR = "apt-get install --no-install-recommends gcc-avr avr-libc"
_GET_CLANG = "apt-get install --no-install-recommends clang libclang-rt-dev"
_GET_SIMAVR = "apt-get install --no-install-recommends gcc libsimavr-dev libelf-dev"
_AVR = (*_STRICT, "-O2", "-flto", "-Wl,--gc-sections", "-s", "-mmcu=atmega328p", "-DF_CPU=16000000UL", "-fshort-enums")
_FUZZED = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O2", "-fsanitize=fuzzer,address,undefined",
           "-fno-sanitize-recover=all")  # fmt: skip
_QUICK = "-fno-sanitize-coverage=trace-cmp"
"""Commands come framed, so that nothing has to be guessed: without it four times as many inputs reach as much."""
_BARE = (*_CORE, "port/bare", "port/armv7m")
_MPS2 = (*_BARE, "drivers", "boards/i2c", "port/mps2")
_NATIVE = ((*_STRICT, "-O2", "-D_GNU_SOURCE"), (*_CORE, "dut", "port/native"), "imu6-native")
_UNICORN = (*_BARE, "port/unicorn")
_SOFT_M3 = ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m3")
_HARD = ("-target", "thumb-freestanding-eabihf")

RECIPES = {
    recipe.port: recipe
    for recipe in (
        Recipe("native", "gcc", *_NATIVE, otherwise=_by_zig("native", *_NATIVE)),
        _mps2("mps2", "m3", "-mcpu=cortex-m3", zig=_SOFT_M3),
        _mps2("mps2-m4f", "m4f", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard",
              zig=(*_HARD, "-mcpu=cortex_m4")),
        _mps2("mps2-m7", "m7", "-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard",
              zig=(*_HARD, "-mcpu=cortex_m7+fp_armv8d16")),
        Recipe("unicorn", "arm-none-eabi-gcc", (*_ARM, "-mcpu=cortex-m3"), _UNICORN, "imu6-unicorn.elf",
               install=_GET_ARM, prebuilt=True,
               otherwise=_by_zig("unicorn", (*_ZIG_ARM, *_SOFT_M3), (*_UNICORN, "port/freestanding"),
                                 "imu6-unicorn.elf")),
        Recipe("avr", "avr-gcc", (*_AVR, "-DHIL_BAUD=500000UL"), (*_CORE, "port/bare", "port/avr"),
               "imu6-avr-500000.elf", install=_GET_AVR, prebuilt=True),
        Recipe("avr115200", "avr-gcc", (*_AVR, "-DHIL_BAUD=115200UL"), (*_CORE, "port/bare", "port/avr"),
               "imu6-avr-115200.elf", install=_GET_AVR, prebuilt=True),
        Recipe("simavr", "gcc", (*_STRICT, "-O2", "-D_GNU_SOURCE", "-isystem", "/usr/include/simavr"), ("port/simavr",),
               "imu6-simavr", libraries=("-lsimavr", "-lsimavrparts", "-lelf"), install=_GET_SIMAVR,
               header="/usr/include/simavr/sim_avr.h"),
        Recipe("host", "gcc", (*_STRICT, "-O2", "-shared", "-fPIC"), (*_CORE, "dut", "port/host"), "imu6-host.so"),
        Recipe("fuzz", "clang", (*_FUZZED, _QUICK), (*_CORE, "dut", "port/host", "fuzz"), "fuzz-board",
               install=_GET_CLANG),
        Recipe("fuzz-dut", "clang", _FUZZED, (*_CORE, "dut", "port/host", "fuzz_dut"), "fuzz-dut", install=_GET_CLANG),
    )
}  # fmt: skip
"""Every program that can be built, by port."""

SHIPPED = tuple(port for port in RECIPES if port not in ("host", "fuzz", "fuzz-dut"))
"""Those that are of use outside of this program."""
