//! What a process has used: CPU time, in nanoseconds and with the threads that have ended, and memory.

use std::time::Duration;

/// A process that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    pid: i32,
}

impl Process {
    /// The process with this id.
    ///
    /// # Errors
    /// The id is none.
    pub fn new(pid: Option<u32>) -> anyhow::Result<Self> {
        match pid.and_then(|pid| i32::try_from(pid).ok()) {
            Some(pid) => Ok(Self { pid }),
            None => anyhow::bail!("the function has ended"),
        }
    }
}

#[cfg(target_os = "linux")]
impl Process {
    /// User and system time of all its threads so far.
    ///
    /// # Errors
    /// The process is gone.
    pub fn cpu_time(self) -> anyhow::Result<Duration> {
        let clock = nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(self.pid))?;
        Ok(clock.now()?.into())
    }

    /// The most memory that it has held (`VmHWM`), in bytes.
    ///
    /// # Errors
    /// The process is gone.
    pub fn peak_memory(self) -> anyhow::Result<u64> {
        let status = procfs::process::Process::new(self.pid)?.status()?;
        // The kernel's unit here is KiB.
        Ok(status.vmhwm.unwrap_or_default() * 1024)
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// The process is gone.
    pub fn terminate(self) -> anyhow::Result<()> {
        let pid = nix::unistd::Pid::from_raw(self.pid);
        Ok(nix::sys::signal::kill(
            pid,
            nix::sys::signal::Signal::SIGTERM,
        )?)
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_self, reason = "as on Linux")]
impl Process {
    /// Not measured here.
    ///
    /// # Errors
    /// Always.
    pub fn cpu_time(self) -> anyhow::Result<Duration> {
        anyhow::bail!("a process's CPU time is read as Linux gives it: run this on Linux")
    }

    /// Not measured here.
    ///
    /// # Errors
    /// Always.
    pub fn peak_memory(self) -> anyhow::Result<u64> {
        anyhow::bail!("a process's memory is read as Linux gives it: run this on Linux")
    }

    /// Not done here.
    ///
    /// # Errors
    /// Always.
    pub fn terminate(self) -> anyhow::Result<()> {
        anyhow::bail!("instructions are counted on Linux alone")
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_of_a_thread_that_has_ended_counts() {
        let process = Process::new(Some(std::process::id())).unwrap();
        let before = process.cpu_time().unwrap();
        let worked = std::thread::spawn(move || {
            let own = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
            let mut worked = Duration::ZERO;
            while worked < Duration::from_millis(20) {
                worked = own.now().unwrap().into();
            }
            worked
        });
        let worked = worked.join().unwrap();
        assert!(process.cpu_time().unwrap() >= before + worked);
        assert!(process.peak_memory().unwrap() > 100_000);
    }
}
