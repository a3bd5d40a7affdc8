import { Monitor, Moon, Sun } from "lucide-react";
import { setTheme, type ThemeChoice, useUi } from "../store/ui";
import { IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";

const THEMES: { value: ThemeChoice; label: string; Icon: typeof Sun }[] = [
  { value: "system", label: "Like the system", Icon: Monitor },
  { value: "light", label: "Light", Icon: Sun },
  { value: "dark", label: "Dark", Icon: Moon },
];

export function ThemeMenu() {
  const theme = useUi((it) => it.theme);
  const Icon = THEMES.find((it) => it.value === theme)?.Icon ?? Monitor;
  return (
    <Menu
      align="end"
      trigger={
        <IconButton label="Theme">
          <Icon />
        </IconButton>
      }
      items={THEMES.map((it) => ({
        label: it.label,
        icon: <it.Icon />,
        checked: it.value === theme,
        onSelect: () => setTheme(it.value),
      }))}
    />
  );
}
