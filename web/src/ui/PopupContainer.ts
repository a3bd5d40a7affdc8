import { createContext, useContext } from "react";

/** The element that menus and tooltips are put into. In full screen nothing outside of it is drawn. */
export const PopupContainer = createContext<HTMLElement | null>(null);

/** `undefined` for the page. */
export const usePopupContainer = (): HTMLElement | undefined =>
  useContext(PopupContainer) ?? undefined;
