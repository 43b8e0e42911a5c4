//! A guest as dom0 sees it: `xl`, xenstore, its console's log.

use std::time::Duration;

use serde_json::Value;

use crate::lab::Lab;

/// What `xl` may take for anything but a start; emulated, and beside other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// A stock kernel on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(180);
/// The line by which a region says that it serves, and a guest that is nothing but a shell that it runs.
const READY: &str = "fairway-region: ready ";
const SPEAKS: &str = "bare init: ";
/// What a kernel is told: README.md of `assets/guest` has the reasons.
const KERNEL_ARGS: &str = "console=hvc0 loglevel=4 rootfstype=ramfs";

/// A guest to be started.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    /// `tuned` or `stock`.
    pub(crate) kernel: &'static str,
    pub(crate) memory_mib: u32,
    pub(crate) vcpus_max: u32,
    /// The last part of 10.0.0.x.
    pub(crate) host: u8,
    /// What becomes of it when it powers off or panics: `destroy`, or `preserve` to look at it.
    pub(crate) afterwards: &'static str,
    /// What its kernel is told instead of its address.
    pub(crate) words: Option<&'static str>,
    /// Its ramdisk, where it is to be no region.
    pub(crate) ramdisk: Option<&'static str>,
    /// Of its region server, one a line, told once it waits for them; those of its ramdisk without.
    pub(crate) arguments: Option<String>,
    /// How long it may take to get ready.
    pub(crate) patience: Duration,
}

impl Plan {
    pub(crate) const fn tuned(name: &'static str, host: u8) -> Self {
        Self {
            name,
            kernel: "tuned",
            memory_mib: 64,
            vcpus_max: 1,
            host,
            afterwards: "destroy",
            words: None,
            ramdisk: None,
            arguments: None,
            patience: START_PATIENCE,
        }
    }

    pub(crate) fn stock(name: &'static str, host: u8) -> Self {
        Self { kernel: "stock", memory_mib: 128, ..Self::tuned(name, host) }
    }

    pub(crate) fn config(&self) -> String {
        let Self { name, memory_mib, vcpus_max, host, afterwards, .. } = self;
        let words = self.words.map_or_else(|| format!("fairway.ip=10.0.0.{host}/24"), str::to_owned);
        format!(
            "name = \"{name}\"\ntype = \"pv\"\nkernel = \"/lab/{kernel}/vmlinux\"\n\
             ramdisk = \"/tmp/{name}.img\"\nextra = \"{KERNEL_ARGS} {words}\"\n\
             memory = {memory_mib}\nmaxmem = {memory_mib}\nvcpus = 1\nmaxvcpus = {vcpus_max}\n\
             vif = [ \"bridge=br0,mac=00:16:3e:00:00:{host:02x}\" ]\n\
             on_poweroff = \"{afterwards}\"\non_reboot = \"{afterwards}\"\non_crash = \"{afterwards}\"\n",
            kernel = self.kernel,
        )
    }
}

/// What a start took, in dom0's seconds, and what the region said.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) created_s: f64,
    pub(crate) ready_s: f64,
    /// When it was told what to be, if it had to wait for that.
    pub(crate) told_s: Option<f64>,
    pub(crate) ready: Value,
}

/// A started guest; a test that fails leaves it, and the next start of its name destroys it.
pub(crate) struct Guest<'lab> {
    pub(crate) lab: &'lab mut Lab,
    pub(crate) plan: Plan,
}

/// Starts a guest and waits for its line.
///
/// # Errors
/// With its console's last lines, when it ends or does not get ready.
pub(crate) fn start<'lab>(lab: &'lab mut Lab, plan: &Plan) -> Result<(Guest<'lab>, Start), String> {
    let Plan { name, kernel, .. } = plan;
    let (config, seconds) = (plan.config(), plan.patience.as_secs());
    let archive = if plan.arguments.is_some() { "spare" } else { "region" };
    let region = format!("/lab/{kernel}/initrd.gz /lab/{archive}.cpio");
    let ramdisk = plan.ramdisk.unwrap_or(&region);
    let ready = if plan.ramdisk.is_some() { SPEAKS } else { READY };
    let arguments = plan.arguments.as_deref().unwrap_or_default();
    let script = format!(
        "log=/var/log/xen/guest-{name}.log\n\
         xl destroy {name} >/dev/null 2>&1\n\
         cat >/tmp/{name}.cfg <<'END'\n{config}END\n\
         cat {ramdisk} >/tmp/{name}.img\n\
         cat /lab/{kernel}/vmlinux >/dev/null; : >$log\n\
         up() {{ cut -d' ' -f1 /proc/uptime; }}\n\
         began=$(up); xl create -q /tmp/{name}.cfg || exit 1; created=$(up)\n\
         id=$(xl domid {name}); own=/local/domain/$id/data/fairway; tries=0; told=-\n\
         until grep -aq '{ready}' $log; do\n\
             if [ $told = - ] && [ \"$(xenstore-read $own/state 2>/dev/null)\" = standby ]; then\n\
                 told=$(up); xenstore-write -- $own/arguments '{arguments}'\n\
             fi\n\
             [ $tries -lt $(({seconds} * 10)) ] || {{ tail -20 $log; echo 'never ready'; exit 1; }}\n\
             xenstore-exists /local/domain/$id || {{ tail -20 $log; echo 'it ended'; exit 1; }}\n\
             tries=$((tries + 1)); sleep 0.1\n\
         done\n\
         echo \"times $began $created $(up) $told\"; grep -a '{ready}' $log"
    );
    let answer = lab.ask(plan.patience + PATIENCE, &script);
    if answer.status != 0 {
        return Err(format!("{name}: {}", answer.text));
    }
    // The toolstack may have had something to say too.
    let after = |mark: &str| answer.text.lines().find_map(|line| line.split_once(mark)).unwrap().1;
    // None where it was told nothing.
    let times: Vec<Option<f64>> = after("times ").split(' ').map(|word| word.parse().ok()).collect();
    let since = |n: usize| times[n].map(|time| time - times[0].unwrap());
    let said = after(ready);
    let ready = serde_json::from_str(said).map_err(|why| format!("{name}: {why}: {said:?}"))?;
    let start = Start { created_s: since(1).unwrap(), ready_s: since(2).unwrap(), told_s: since(3), ready };
    Ok((Guest { lab, plan: plan.clone() }, start))
}

impl Guest<'_> {
    /// Runs a script in dom0 in which `$name`, `$id` and `$log` are the guest's.
    pub(crate) fn run(&mut self, script: &str) -> String {
        let script = self.with_names(script);
        self.lab.run(PATIENCE, &script)
    }

    /// The same, until it succeeds.
    pub(crate) fn until(&mut self, script: &str) -> String {
        let script = self.with_names(script);
        self.lab.until(PATIENCE, &script)
    }

    fn with_names(&self, script: &str) -> String {
        let name = self.plan.name;
        format!("name={name}; log=/var/log/xen/guest-{name}.log; id=$(xl domid {name} 2>/dev/null)\n{script}")
    }

    /// One entry of its own in xenstore, or nothing.
    pub(crate) fn entry(&mut self, path: &str) -> String {
        let script = format!("xenstore-read /local/domain/$id/data/fairway/{path} 2>/dev/null || true");
        self.run(&script).trim().to_owned()
    }

    /// Waits for its state.
    pub(crate) fn until_state(&mut self, state: &str) {
        self.until(&format!(
            "now=$(xenstore-read /local/domain/$id/data/fairway/state); echo \"$now\"; [ \"$now\" = {state} ]"
        ));
    }

    /// Whether it answers on its address.
    pub(crate) fn answers(&mut self) -> bool {
        let host = self.plan.host;
        self.lab.ask(PATIENCE, &format!("ping -q -c 3 -i 0.3 -w 20 10.0.0.{host}")).status == 0
    }

    /// Has a pilot sail in it for a while; how many states of its vessel the region sent, or none if it has no room.
    pub(crate) fn ticks(&mut self) -> Option<u64> {
        let ready: Value = serde_json::from_str(&self.entry("ready")).unwrap();
        let address = ready["addr"].as_str().unwrap();
        let outcome = self.run(&format!(
            "/lab/fairway pilot --connect {address} --for 5s -o json 2>/tmp/pilot.err || grep 'the region is full' /tmp/pilot.err || {{ cat /tmp/pilot.err; false; }}"
        ));
        if outcome.contains("the region is full") {
            return None;
        }
        let outcome: Value = serde_json::from_str(&outcome).unwrap();
        outcome["states"].as_u64()
    }

    /// Waits until so many of its processors run or idle; one that was taken away is paused.
    pub(crate) fn until_processors(&mut self, wanted: u32) {
        self.until(&format!(
            "xl vcpu-list $name; [ $(xl vcpu-list $name | awk 'NR > 1 && $5 !~ /p/' | wc -l) = {wanted} ]"
        ));
    }

    pub(crate) fn destroy(&mut self) {
        self.run("xl destroy $name");
    }
}
