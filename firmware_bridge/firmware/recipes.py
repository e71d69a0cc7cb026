"""How each port of the firmware is built: one row a port, nothing is run here.

Rule of this room: data only. Warnings are errors in every build; whatever decides what comes out stands in the row, so
that its digest (with the sources') names the result.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER", "RECIPES", "SHIPPED", "Recipe"]

FOLDER = Path(__file__).parent
_STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-Wpedantic")
_CORE = ("core", "boards")
_SMALL = ("-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wl,--build-id=none", "-s")
_ARM = (*_STRICT, *_SMALL, "-nostartfiles", "--specs=nano.specs", "-mthumb", "-Tport/armv7m/memory.ld")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one program comes about.

    Attributes:
        port: Its name.
        compiler: The program that makes it.
        flags: What the compiler is told ahead of the sources.
        folders: Where its sources lie, below the firmware's folder; each is searched for headers, too.
        output: Name of the result.
        libraries: What the compiler is told behind the sources.
        install: What to type where the compiler is missing.
        prebuilt: Whether the result ships with the package.
        header: A file of this machine that has to be there, too.
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
        return [self.compiler, *self.flags, *includes, "-o", str(output), *sources, *self.libraries]


_GET_ARM = "apt-get install --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi"
_GET_AVR = "apt-get install --no-install-recommends gcc-avr avr-libc"
_GET_CLANG = "apt-get install --no-install-recommends clang libclang-rt-dev"
_GET_SIMAVR = "apt-get install --no-install-recommends gcc libsimavr-dev libelf-dev"
_AVR = (*_STRICT, "-O2", "-flto", "-Wl,--gc-sections", "-s", "-mmcu=atmega328p", "-DF_CPU=16000000UL", "-fshort-enums")
_FUZZED = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O2", "-fsanitize=fuzzer,address,undefined",
           "-fno-sanitize-recover=all")  # fmt: skip
_BARE = (*_CORE, "port/bare", "port/armv7m")

RECIPES = {
    recipe.port: recipe
    for recipe in (
        Recipe("native", "gcc", (*_STRICT, "-O2", "-D_GNU_SOURCE"), (*_CORE, "dut", "port/native"), "imu6-native"),
        Recipe("mps2", "arm-none-eabi-gcc", (*_ARM, "-mcpu=cortex-m3"), (*_BARE, "port/mps2"), "imu6-mps2.elf",
               install=_GET_ARM, prebuilt=True),
        Recipe("unicorn", "arm-none-eabi-gcc", (*_ARM, "-mcpu=cortex-m3"),
               (*_BARE, "port/unicorn"), "imu6-unicorn.elf", install=_GET_ARM, prebuilt=True),
        Recipe("avr", "avr-gcc", (*_AVR, "-DHIL_BAUD=500000UL"), (*_CORE, "port/bare", "port/avr"),
               "imu6-avr-500000.elf", install=_GET_AVR, prebuilt=True),
        Recipe("avr115200", "avr-gcc", (*_AVR, "-DHIL_BAUD=115200UL"), (*_CORE, "port/bare", "port/avr"),
               "imu6-avr-115200.elf", install=_GET_AVR, prebuilt=True),
        Recipe("simavr", "gcc", (*_STRICT, "-O2", "-D_GNU_SOURCE", "-isystem", "/usr/include/simavr"), ("port/simavr",),
               "imu6-simavr", libraries=("-lsimavr", "-lsimavrparts", "-lelf"), install=_GET_SIMAVR,
               header="/usr/include/simavr/sim_avr.h"),
        Recipe("host", "gcc", (*_STRICT, "-O2", "-shared", "-fPIC"), (*_CORE, "dut", "port/host"), "imu6-host.so"),
        Recipe("fuzz", "clang", _FUZZED, (*_CORE, "dut", "port/host", "fuzz"), "fuzz-board", install=_GET_CLANG),
        Recipe("fuzz-dut", "clang", _FUZZED, (*_CORE, "dut", "port/host", "fuzz_dut"), "fuzz-dut", install=_GET_CLANG),
    )
}  # fmt: skip
"""Every program that can be built, by port."""

SHIPPED = tuple(port for port in RECIPES if port not in ("host", "fuzz", "fuzz-dut"))
"""Those that are of use outside of this program."""
