/** Whether the film is heard while it plays, and how loud. */

import { Volume2, VolumeX } from "lucide-react";
import { useStore } from "zustand";
import { IconButton } from "../ui/Button";
import { Slider } from "../ui/Slider";
import { Tooltip } from "../ui/Tooltip";
import type { Player } from "./player";
import styles from "./Transport.module.css";

interface SoundControlProps {
  player: Player;
  /** The button alone, for a small node. */
  compact?: boolean;
}

export function SoundControl({ player, compact = false }: SoundControlProps) {
  const { info, audible, sound, volume } = useStore(player.state);
  // What is on can always be turned off.
  const mute = info !== null && !audible && !sound;
  return (
    <>
      <Tooltip label={sound ? "Sound: on" : "Sound: off"} shortcut="m" side="top">
        <IconButton
          label="Sound"
          size="sm"
          active={sound}
          disabled={info === null || mute}
          // A tooltip does not open on a button that cannot be pressed.
          {...(mute ? { title: "There is nothing to hear in this animation so far" } : {})}
          onClick={() => player.setSound(!sound)}
        >
          {sound ? <Volume2 /> : <VolumeX />}
        </IconButton>
      </Tooltip>
      {sound && !compact && (
        <Slider
          label="Volume"
          value={Math.round(volume * 100)}
          min={0}
          max={100}
          step={5}
          format={(percent) => `${percent} %`}
          onChange={(percent) => player.setSound(true, percent / 100)}
          className={styles.volume ?? ""}
        />
      )}
    </>
  );
}
