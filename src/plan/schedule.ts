import { Cron } from "croner";

/** One that begins on each day of the week. None is a leap year: what is in all of these is in those too. */
const YEARS = [2022, 2023, 2025, 2026, 2027, 2029, 2030];
/** Any day, or days of the week without a number: each month has them, so nothing is to be tried, which takes half a millisecond. */
const EVERY_MONTH = /^\S+ \S+ [*?] \S+ [^#]+$/;

/** Throws where it is no cron schedule of five fields. Nothing is started by it. */
function parseSchedule(schedule: string): Cron {
  return new Cron(schedule, { mode: "5-part", paused: true, timezone: "UTC" });
}

/** Cheap; says nothing about when it comes. */
export function isSchedule(schedule: string): boolean {
  try {
    parseSchedule(schedule);
    return true;
  } catch {
    // Whoever wrote it was told why.
    return false;
  }
}

/** Why nobody can be audited by this schedule, and the way out; undefined where it is good. Cron, five fields, UTC. */
export function scheduleProblem(schedule: string): string | undefined {
  let cron: Cron;
  try {
    cron = parseSchedule(schedule);
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, "");
    return `is no cron schedule: ${why}; write five fields, such as "0 3 * * *" for 03:00 UTC every day`;
  }
  if (EVERY_MONTH.test(schedule)) return undefined;
  const missed = YEARS.find((year) => firstYearFrom(cron, year) !== year);
  if (missed === undefined) return undefined;
  const when =
    firstYearFrom(cron, missed) === undefined ? "never comes" : `does not come in some years, such as ${missed}`;
  return `${when}: name days that every year has, such as "0 3 L * *" for the last one of each month`;
}

function firstYearFrom(cron: Cron, year: number): number | undefined {
  // The next run is later than what is given: this lets the first minute of the year be one.
  return cron.nextRun(`${year - 1}-12-31T23:59:59`)?.getUTCFullYear();
}
