//! The sea beside buoys: what a buoy measured, set as a course's sea, is what a virtual buoy measures there, and
//! our gusts have the statistics of measured ones.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "tests are no library, nor a model"
)]

mod common;

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::sea::Sea;
use fairway::units::{TICK_HZ, Tick};
use glam::DVec2;

/// A virtual buoy's record: samples a second apart at 2 Hz, as NDBC's own buoys take 20 minutes of.
const SAMPLES: usize = 4_096;
const SAMPLE_TICKS: u64 = TICK_HZ / 2;

fn shared(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        common::skipped(&format!("buoy data at {}", path.display()));
    }
    text
}

/// Pairs of value and frequency by hour, of a file of NDBC's spectral form; `skip` columns before the pairs.
fn rows(text: &str, skip: usize) -> BTreeMap<String, Vec<(f64, f64)>> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pairs = words[skip..].chunks_exact(2);
        let number = |word: &str| word.trim_matches(['(', ')']).parse::<f64>().unwrap();
        rows.insert(words[..5].join(" "), pairs.map(|pair| (number(pair[1]), number(pair[0]))).collect());
    }
    rows
}

/// One hour's spectrum: frequency, density, direction from, r₁.
type Measured = Vec<[f64; 4]>;

fn hours() -> Option<Vec<(String, Measured)>> {
    let densities = rows(&shared("waves/41010.data_spec")?, 6);
    let directions = rows(&shared("waves/41010.swdir")?, 5);
    let spreads = rows(&shared("waves/41010.swr1")?, 5);
    let mut hours = Vec::new();
    for (hour, density) in densities {
        let (Some(direction), Some(spread)) = (directions.get(&hour), spreads.get(&hour)) else { continue };
        let bands = density.iter().zip(direction).zip(spread).map(|((d, a), r)| {
            // 999: too little energy to tell a direction.
            let from = if a.1 > 360.0 { 0.0 } else { a.1 };
            let r1 = if r.1 > 1.0 { 0.5 } else { r.1 };
            [d.0, if a.1 > 360.0 { 0.0 } else { d.1 }, from, r1]
        });
        hours.push((hour, bands.collect()));
    }
    Some(hours)
}

/// A flat, deep square of open ocean, with files of its own.
fn ocean(climate: &str, spectrum: Option<&str>) -> Sea {
    let dir = tempfile::tempdir().unwrap();
    let key = if spectrum.is_some() { "spectrum = \"sea.csv\"\n" } else { "" };
    let toml = format!(
        "title = \"Ocean\"\nseed = 41010\nepoch = \"2025-01-01T00:00:00Z\"\nstart = \"2025-01-01T01:00:00Z\"\n\
         time_limit_s = 3600\n{key}[place]\nregion = [1000, 1000]\nregions = [4, 4]\n[depth]\n\
         heightmap = \"deep.pgm\"\nspacing_m = 16\nlowest_m = -870.0\nstep_m = 0.001\n[tide.stated]\n\
         period_h = 12.4\nhigh_water = \"2025-01-01T13:00:00Z\"\nmean_m = 0.0\namplitude_m = 0.0\n\
         flood_lead_h = 1.0\nflood_mps = 0.0\nebb_mps = 0.0\nflood_to_deg = 85\nebb_to_deg = 265\n[climate]\n\
         {climate}\nfetch_m = 300000\nfronts_per_day = 0\nsqualls_per_day = 0\nthunderstorms_per_day = 0\n\
         swell_trains_per_day = 0\nfreak_waves_per_day = 0\n[start_line]\nport = [420, 260]\n\
         starboard = [420, 160]\nheading_deg = 77\n[[marks]]\nname = \"Mark\"\nat = [800, 500]\nradius_m = 40\n"
    );
    std::fs::write(dir.path().join("course.toml"), toml).unwrap();
    let mut map = b"P5\n65 65\n65535\n".to_vec();
    map.extend(std::iter::repeat_n(0_u8, 2 * 65 * 65));
    std::fs::write(dir.path().join("deep.pgm"), map).unwrap();
    if let Some(spectrum) = spectrum {
        std::fs::write(dir.path().join("sea.csv"), spectrum).unwrap();
    }
    let course = Course::load(dir.path()).unwrap();
    let seed = course.seed;
    Sea::new(Arc::new(course), seed)
}

/// The peak's frequency: the mean that the fourth power of the density weighs (Young 1995), as two bands of a broad
/// peak may be equally high; each density is the mean of three bands, as lines are few in a narrow one.
fn peak(density: &[(f64, f64)]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for n in 0..density.len() {
        let near = &density[n.saturating_sub(1)..(n + 2).min(density.len())];
        let smooth = near.iter().map(|band| band.1).sum::<f64>() / near.len() as f64;
        let weight = smooth.powi(4);
        sum += weight * density[n].0;
        weights += weight;
    }
    sum / weights
}

/// What a buoy that follows the surface measures: significant height, peak period, and the direction from which
/// the waves within a fifth of a frequency come, by the cross-spectra of heave with motion east and north
/// (Longuet-Higgins, Cartwright & Smith 1963).
fn virtual_buoy(sea: &Sea, bands: &Measured, about_hz: f64) -> (f64, f64, f64) {
    let mut heave = vec![0.0; SAMPLES];
    let mut flow = vec![DVec2::ZERO; SAMPLES];
    for n in 0..SAMPLES {
        let tick = sea.course().start.after(n as u64 * SAMPLE_TICKS);
        let waves = sea.water(DVec2::new(500.0, 500.0), tick).waves;
        for i in 0..waves.amplitude_m.len() {
            let amplitude = f64::from(waves.amplitude_m[i]);
            let along = DVec2::new(f64::from(waves.kx[i]), f64::from(waves.ky[i])).normalize_or_zero();
            let crest = amplitude * (TAU * f64::from(waves.phase[i])).cos();
            heave[n] += crest;
            // Under a crest the water runs with the wave.
            flow[n] += along * crest;
        }
    }
    let mean = heave.iter().sum::<f64>() / SAMPLES as f64;
    let variance = heave.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / SAMPLES as f64;
    let record_s = SAMPLES as f64 * SAMPLE_TICKS as f64 / TICK_HZ as f64;
    // Energy and direction in the buoy's own bands, by a discrete Fourier transform of each line in them.
    let width = |n: usize| {
        let below = if n == 0 { bands[1][0] - bands[0][0] } else { bands[n][0] - bands[n - 1][0] };
        let above = if n + 1 == bands.len() { below } else { bands[n + 1][0] - bands[n][0] };
        0.5 * (below + above)
    };
    let mut found = Vec::new();
    for (n, [frequency_hz, ..]) in bands.iter().enumerate() {
        let (low, high) = (frequency_hz - 0.5 * width(n), frequency_hz + 0.5 * width(n));
        let (mut energy, mut towards) = (0.0, DVec2::ZERO);
        for line in (low * record_s).ceil() as usize..(high * record_s).ceil() as usize {
            let (mut z, mut u) = ([0.0; 2], [DVec2::ZERO; 2]);
            for (sample, (heave, flow)) in heave.iter().zip(&flow).enumerate() {
                let turn = TAU * ((line * sample) % SAMPLES) as f64 / SAMPLES as f64;
                let (s, c) = turn.sin_cos();
                z = [z[0] + heave * c, z[1] + heave * s];
                u = [u[0] + *flow * c, u[1] + *flow * s];
            }
            energy += z[0] * z[0] + z[1] * z[1];
            towards += u[0] * z[0] + u[1] * z[1];
        }
        found.push((*frequency_hz, energy / width(n), towards));
    }
    let density: Vec<(f64, f64)> = found.iter().map(|band| (band.0, band.1)).collect();
    let peak_hz = peak(&density);
    let towards: DVec2 =
        found.iter().filter(|band| (band.0 / about_hz - 1.0).abs() < 0.2).map(|band| band.2).sum();
    let from = (-towards.x).atan2(-towards.y).to_degrees().rem_euclid(360.0);
    (4.0 * variance.sqrt(), 1.0 / peak_hz, from)
}

#[test]
fn measured_spectrum_as_a_courses_sea_is_what_a_virtual_buoy_measures() {
    let Some(hours) = hours() else { return };
    assert!(hours.len() > 24, "{} hours", hours.len());
    let mut checked = 0;
    for (hour, bands) in hours.iter().step_by(hours.len() / 10) {
        let mut csv = "frequency_hz,density_m2phz,from_deg,spread_deg\n".to_owned();
        for [frequency, density, from, r1] in bands {
            let spread = (2.0 - 2.0 * r1).max(0.0).sqrt().to_degrees().min(81.0);
            writeln!(csv, "{frequency},{density},{from},{spread:.2}").unwrap();
        }
        let sea = ocean("wind_mps = 6\nwind_from_deg = 90", Some(&csv));
        let height = sea.course().spectrum.as_ref().unwrap().height_m();
        let density: Vec<(f64, f64)> = bands.iter().map(|band| (band[0], band[1])).collect();
        let peak_hz = peak(&density);
        let (mut east, mut north) = (0.0, 0.0);
        for (n, [frequency, density, from, r1]) in bands.iter().enumerate() {
            if (frequency / peak_hz - 1.0).abs() < 0.2 {
                let width = bands[(n + 1).min(bands.len() - 1)][0] - bands[n.saturating_sub(1)][0];
                east += density * width * r1 * from.to_radians().sin();
                north += density * width * r1 * from.to_radians().cos();
            }
        }
        let from = east.atan2(north).to_degrees().rem_euclid(360.0);
        let (our_height, our_period, our_from) = virtual_buoy(&sea, bands, peak_hz);
        println!(
            "{hour}: {height:.2} m {:.1} s {from:.0}°, ours {our_height:.2} m {our_period:.1} s {our_from:.0}°",
            1.0 / peak_hz
        );
        assert!((our_height / height - 1.0).abs() < 0.08, "{hour}: height {our_height}, buoy {height}");
        assert!(
            (our_period * peak_hz - 1.0).abs() < 0.1,
            "{hour}: period {our_period}, buoy {}",
            1.0 / peak_hz
        );
        let off = (our_from - from + 540.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() < 15.0, "{hour}: from {our_from}, buoy {from}");
        // What people are told is what the buoy tells.
        let told = sea.at(DVec2::new(500.0, 500.0), sea.course().start);
        assert!((told.wave_hs_m / height - 1.0).abs() < 0.03, "{hour}: {told:?}");
        checked += 1;
    }
    assert!(checked >= 10);
}

/// Share of the hours that have less, for some shares.
fn quantiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [0.1, 0.5, 0.9].map(|share| values[(share * (values.len() - 1) as f64) as usize])
}

/// The highest five-second mean of an hour over the hour's mean, and the spread of its ten-minute means: 41008's of
/// six weeks of summer, and ours in a wind as strong.
#[test]
fn gusts_have_the_statistics_of_measured_ones() {
    let Some(text) = shared("ndbc/41008.cwind") else { return };
    let mut by_hour: BTreeMap<String, Vec<[f64; 2]>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pair = [words[6].parse().unwrap(), words[8].parse().unwrap()];
        by_hour.entry(words[..4].join(" ")).or_default().push(pair);
    }
    let (mut factors, mut spreads, mut speeds) = (Vec::new(), Vec::new(), Vec::new());
    for hour in by_hour.values() {
        let means: Vec<f64> = hour.iter().map(|pair| pair[0]).collect();
        let gusts: Vec<f64> = hour.iter().map(|pair| pair[1]).filter(|gust| *gust < 90.0).collect();
        // Whole hours of wind enough that whole metres a second of gust say something.
        if means.len() == 6 && gusts.len() == 1 && means.iter().all(|mean| (4.0..90.0).contains(mean)) {
            let mean = means.iter().sum::<f64>() / 6.0;
            factors.push(gusts[0] / mean);
            spreads.push(deviation(&means) / mean);
            speeds.push(mean);
        }
    }
    assert!(factors.len() > 300, "{} hours", factors.len());
    let mean = speeds.iter().sum::<f64>() / speeds.len() as f64;
    let sea = ocean(&format!("wind_mps = {mean:.2}\nwind_from_deg = 200"), None);
    let (mut our_factors, mut our_spreads) = (Vec::new(), Vec::new());
    for hour in 0..60_u64 {
        // A sample each half second; hours apart, so that each is a draw of its own.
        let first = sea.course().start.0 + hour * 3 * 3600 * TICK_HZ;
        let wind: Vec<f64> = (0..7200_u64)
            .map(|n| sea.wind(DVec2::new(500.0, 500.0), Tick(first + n * TICK_HZ / 2)).length())
            .collect();
        let mean = wind.iter().sum::<f64>() / 7200.0;
        let gust = wind.windows(10).map(|ten| ten.iter().sum::<f64>() / 10.0).fold(0.0, f64::max);
        our_factors.push(gust / mean);
        let tens: Vec<f64> = wind.chunks(1200).map(|ten| ten.iter().sum::<f64>() / 1200.0).collect();
        our_spreads.push(deviation(&tens) / mean);
    }
    let ours = our_factors.iter().sum::<f64>() / our_factors.len() as f64;
    let theirs = factors.iter().sum::<f64>() / factors.len() as f64;
    let (low, high) = (quantiles(factors), quantiles(our_factors));
    println!("gust factor {theirs:.3} {low:.3?}, ours {ours:.3} {high:.3?}");
    assert!((ours - theirs).abs() < 0.06, "gust factor {ours}, buoy {theirs}");
    assert!((low[1] - high[1]).abs() < 0.06, "median {} of {}", high[1], low[1]);
    let (theirs, ours) = (quantiles(spreads), quantiles(our_spreads));
    println!("ten-minute means: {theirs:.3?}, ours {ours:.3?}");
    assert!((0.6..1.7).contains(&(ours[1] / theirs[1])), "spread of means {ours:?}, buoy {theirs:?}");
}

fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0)).sqrt()
}
