/** What a person chose to hear: for as long as the page is open, and not longer, as the next time they may not be alone. */

export interface SoundChoice {
  on: boolean;
  /** 0 to 1. */
  volume: number;
}

export interface SoundMemory {
  recall(): SoundChoice;
  keep(choice: SoundChoice): void;
}

/** Several previews play at once, so each is turned on by itself; how loud is the same for all. */
const heard = new Set<string>();
let volume = 1;

/** The choice for one preview, whoever shows it and however often. */
export const soundOf = (name: string): SoundMemory => ({
  recall: () => ({ on: heard.has(name), volume }),
  keep(choice) {
    if (choice.on) heard.add(name);
    else heard.delete(name);
    volume = choice.volume;
  },
});

/** For a preview that has no name. */
export const forgetful: SoundMemory = {
  recall: () => ({ on: false, volume: 1 }),
  keep: () => {},
};
