/** The Chromium that npm brings. */

import chromium from "@sparticuz/chromium";
import { type Browser, chromium as driver } from "playwright-core";

const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Launches it, without a window, and without requests of its own. */
export async function launchChromium(): Promise<Browser> {
  return driver.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, ...QUIET],
    headless: true,
  });
}
