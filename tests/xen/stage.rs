//! What the tests bring into dom0: one disk with the tools, the images and the course.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::folder;

/// The course that is sailed, under `regions/`.
pub(crate) const COURSE: &str = "gullwing";
/// Room for two kernels, their ramdisks and `fairway`; the file is sparse.
const DISK_SIZE: &str = "600M";

/// The cell of the course in which its start line lies.
pub(crate) fn start_cell() -> (i32, i32) {
    let course = fairway::atlas::Course::load(&course()).unwrap();
    let cell = fairway::atlas::Cell::of(course.start_line.port, course.cell_m);
    (cell.x, cell.y)
}

/// The arguments of a region that stands alone in that cell, one a line.
pub(crate) fn arguments(more: &[String]) -> String {
    let (x, y) = start_cell();
    let place = fairway::image::RegionImage::place_of(&course());
    let own = [format!("--course={place}"), format!("--cell={x},{y}"), "--listen=0.0.0.0:4045".to_owned()];
    own.iter().chain(more).map(|word| format!("{word}\n")).collect()
}

fn course() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(COURSE)
}

/// Makes the disk that dom0 mounts at `/lab`: `fairway`, `fairway-region`, `regions/`, `tuned/` and `stock/` (each `vmlinux`,
/// `initrd.gz`), `region.cpio` for the cell of the start line, `spare.cpio` for a guest that waits for a region, and
/// `bare.gz` with nothing but a shell.
pub(crate) fn make(run: &Path) -> Result<PathBuf, String> {
    let (stage, disk) = (run.join("stage"), run.join("stage.ext4"));
    fs::create_dir_all(&stage).map_err(|why| format!("{}: {why}", stage.display()))?;
    let fairway = env!("CARGO_BIN_EXE_fairway");
    call(Command::new("strip").arg("-o").arg(stage.join("fairway")).arg(fairway))?;
    call(Command::new("cp").arg(init()).arg(&stage))?;
    let regions = stage.join("regions");
    fs::create_dir_all(&regions).map_err(|why| format!("{}: {why}", regions.display()))?;
    call(Command::new("cp").arg("-r").arg(course()).arg(&regions))?;
    for kernel in ["tuned", "stock"] {
        image(kernel, &stage.join(kernel))?;
    }
    // Kernels that a benchmark compares with ours.
    let choices = folder().join("choices");
    if choices.exists() {
        call(Command::new("cp").arg("-rL").arg(&choices).arg(&stage))?;
    }
    region_of_start(&stage.join("region.cpio"))?;
    region(&stage.join("spare.cpio"), &[])?;
    bare(&stage)?;
    call(
        Command::new("mke2fs")
            .args(["-q", "-t", "ext4", "-O", "^has_journal", "-L", "lab", "-d"])
            .args([&stage, &disk])
            .arg(DISK_SIZE),
    )?;
    let _ = fs::remove_dir_all(&stage);
    Ok(disk)
}

/// The image of one kernel; `FAIRWAY_LAB_IMAGE` names a folder with ready ones, to try another's.
pub(crate) fn image(kernel: &str, out: &Path) -> Result<(), String> {
    if let Some(ready) = std::env::var_os("FAIRWAY_LAB_IMAGE") {
        return call(Command::new("cp").arg("-rL").arg(Path::new(&ready).join(kernel)).arg(out));
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairway"));
    command.args(["image", "build", "--kernel", kernel, "--init"]).arg(init());
    call(command.arg("--cache").arg(folder().join("images")).arg("--out").arg(out))
}

/// The static region server, beside the folder of this profile, as `.ci/xen` builds it.
fn init() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_fairway")).parent().and_then(Path::parent).unwrap();
    target.join("x86_64-unknown-linux-gnu/dist/fairway-region")
}

/// What makes a guest the region in which the start line lies.
pub(crate) fn region_of_start(out: &Path) -> Result<(), String> {
    let (x, y) = start_cell();
    region(out, &["--cell", &format!("{x},{y}")])
}

/// What makes a guest a region of the course; without a cell it waits for its host to name one.
fn region(out: &Path, cell: &[&str]) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairway"));
    command.args(["image", "region", "--course"]).arg(course());
    call(command.args(cell).arg("--out").arg(out))
}

/// The least that a kernel can boot: dom0's shell, which says when it was (`rdinit=/bin/busybox -- sh /speak`).
fn bare(stage: &Path) -> Result<(), String> {
    let script = "/bin/busybox mount -t devtmpfs dev /dev; /bin/busybox mount -t proc proc /proc\n\
        read -r up idle </proc/uptime; echo \"bare init: $up\" >/dev/console; /bin/busybox sleep 1000000\n";
    let busybox = folder().join("dom0/root/bin/busybox");
    let make = "mkdir -p bin dev proc && cp \"$1\" bin/busybox && printf %s \"$2\" >speak && \
        find . | cpio -o -H newc --quiet | gzip -9 >\"$3\"";
    let root = stage.with_extension("bare");
    fs::create_dir_all(&root).map_err(|why| format!("{}: {why}", root.display()))?;
    let mut command = Command::new("sh");
    command.current_dir(&root).args(["-c", make, "sh"]).arg(busybox).arg(script).arg(stage.join("bare.gz"));
    call(&mut command)
}

fn call(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|why| format!("{command:?}: {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
